import net, { type AddressInfo } from 'node:net';
import type { SMTPServerSession } from 'smtp-server';
import type { Log } from '../log.ts';
import { type Judge, judgeMessage } from '../message/judge-message.ts';
import type { Account, DoorSettings, Listener } from '../settings.ts';
import type { Deliver } from '../submission.ts';
import { type Certificate, readCertificate } from './certificate.ts';
import { DoorConnection } from './door-connection.ts';
import { DoorServer, type DoorServerOptions } from './door-server.ts';
import { makeGate } from './gate.ts';
import { makeMemoryBudget } from './memory-budget.ts';
import { accountsByNetwork, plainAddress } from './networks.ts';
import { recipientFault } from './recipient.ts';
import { ReplyError } from './reply.ts';
import { makeSignIn } from './sign-in.ts';
import { makeTransaction, NO_MEMORY } from './transaction.ts';

/** What the door needs of the world. */
export type DoorWorld = {
  readonly now: () => Date;
  readonly log: Log;
  /** In this thread where absent. */
  readonly judge?: Judge;
};

/** A door that listens. */
export type Door = {
  /** Of the listeners, in their order. */
  readonly ports: readonly number[];
  /** Until when the certificate is valid; undefined without TLS. */
  readonly certificateValidTo: () => Date | undefined;
  /** Reads the certificate again, for new connections. Where it cannot be used the old one stays, and this is false. */
  readonly reloadCertificate: () => Promise<boolean>;
  /** Other accounts for whoever signs in, or connects, from now on. */
  readonly useAccounts: (accounts: readonly Account[]) => void;
  /** Ends: no new connection, no new email; what has been received is delivered, for at most so long. */
  readonly close: (drainMs: number) => Promise<void>;
};

/** A client has so many idle times for one email: that bounds one that sends a byte now and then. */
const PATIENCE = 10;
/** Room for a few scans beside each other in a small container. */
const MEMORY_OF_MESSAGES = 256 * 1024 * 1024;

type State = { failures: number };

const access = (listener: Listener): ReplyError =>
  new ReplyError({
    code: 530,
    enhanced: '5.7.0',
    text:
      listener.tls === 'starttls'
        ? 'Authentication required. Send STARTTLS, then AUTH, or ask for the network of this device to be listed on this server.'
        : 'Authentication required. Send AUTH, or ask for the network of this device to be listed on this server.',
  });

const NULL_SENDER = new ReplyError({
  code: 550,
  enhanced: '5.7.1',
  text: 'The empty sender <> is for reports of mail servers, which this server does not send. Set a sender address in this device.',
});

/** What goes wrong inside is no fault of the client, which can try again. */
const asReply = (error: unknown, log: Log): ReplyError => {
  if (error instanceof ReplyError) return error;
  log('error', 'Unexpected', { name: error instanceof Error ? error.name : typeof error });
  return new ReplyError({
    code: 451,
    enhanced: '4.3.0',
    text: 'An error in this server. Nothing was accepted. Try again, and tell the operator.',
  });
};

const listen = (server: net.Server, { host, port }: Listener): Promise<number> =>
  new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) =>
      reject(
        new Error(
          `Expected to listen on ${host} port ${port}, received ${cause.code}: ${
            cause.code === 'EACCES'
              ? 'ports below 1024 need the right to bind them (CAP_NET_BIND_SERVICE)'
              : 'choose another port, or end what uses it'
          }.`,
          { cause },
        ),
      ),
    );
    server.listen({ host, port }, () => resolve((server.address() as AddressInfo).port));
  });

/** Starts the SMTP side: listens, and gives every email to `deliver` before it says 250. */
export const startDoor = async (
  settings: DoorSettings,
  deliver: Deliver,
  { now, log, judge = judgeMessage }: DoorWorld,
): Promise<Door> => {
  const { name, listeners, maxBytes, idleMs } = settings;
  const needsTls = listeners.some(({ tls }) => tls !== 'none');
  if (needsTls && settings.certificate === undefined)
    throw new Error(
      'Expected `certificate` for listeners with TLS, received none. Name its certFile and keyFile.',
    );
  let certificate: Certificate | undefined =
    settings.certificate === undefined ? undefined : await readCertificate(settings.certificate);
  const budget = makeMemoryBudget(Math.max(settings.memoryBytes ?? MEMORY_OF_MESSAGES, 3 * maxBytes));
  const receive = makeTransaction({ settings, deliver, judge, budget, now, log });
  let accounts = settings.accounts;
  let networkOf = accountsByNetwork(accounts);
  let signIn = makeSignIn(accounts, now, log);
  const states = new WeakMap<SMTPServerSession, State>();
  const stateOf = (session: SMTPServerSession): State => {
    const state = states.get(session) ?? { failures: 0 };
    states.set(session, state);
    return state;
  };
  /** Looked up each time: an account that was removed is none, also in a connection that is open. */
  const accountOf = (session: SMTPServerSession): Account | undefined =>
    typeof session.user === 'string'
      ? accounts.find((account) => account.name === session.user)
      : networkOf(plainAddress(session.remoteAddress));

  const servers: DoorServer[] = [];
  const connectionOf = (key: string): DoorConnection | undefined =>
    servers
      .flatMap((server) => [...server.connections])
      .filter((connection) => connection instanceof DoorConnection)
      .find((connection) => connection.key === key);
  const gate = makeGate(
    {
      maxConnections: settings.maxConnections,
      maxConnectionsPerAddress: settings.maxConnectionsPerAddress,
      patienceMs: PATIENCE * idleMs,
    },
    {
      expired: (key) => {
        const connection = connectionOf(key);
        if (connection?.isWaitingForUs) return 'stay';
        connection?.send(
          421,
          '4.4.2 This connection took too long for one email. Nothing more was accepted.',
        );
        return 'end';
      },
      isStranger: (key, address) => {
        const connection = connectionOf(key);
        if (connection?._upgrading) return false;
        const session = connection?.session;
        return session === undefined ? networkOf(address) === undefined : accountOf(session) === undefined;
      },
      // To take the socket from under TLS can end the process.
      end: (key, socket) => {
        const connection = connectionOf(key);
        const pending = servers.map((server) => server._pendingSockets.get(socket)).find(Boolean);
        if (connection === undefined) (pending ?? socket).destroy();
        else if (!connection._upgrading) connection._socket.destroySoon();
      },
      crowdedOut: (key) => {
        connectionOf(key)?.send(421, '4.3.2 Too many connections. Sign in sooner, or try again in a minute.');
      },
    },
  );
  /** Undefined once it is closed. */
  const connectionWith = (session: SMTPServerSession) =>
    servers.flatMap((server) => [...server.connections]).find(({ session: of }) => of === session);
  const progress = (session: SMTPServerSession): void => {
    const connection = connectionWith(session);
    if (!(connection instanceof DoorConnection)) return;
    connection.startOver();
    gate.progress(connection.key);
  };

  const handlersOf = (listener: Listener): DoorServerOptions['handlers'] => ({
    onAuth: (auth, session, callback) => {
      const state = stateOf(session);
      const attempt = {
        username: auth.username ?? '',
        password: auth.password ?? '',
        address: plainAddress(session.remoteAddress),
        failures: state.failures,
      };
      signIn(attempt).then(
        (account) => callback(null, { user: account.name }),
        (error: unknown) => {
          state.failures += 1;
          callback(asReply(error, log));
        },
      );
    },
    onMailFrom: ({ address, args }, session, callback) => {
      const size = args === false ? 0 : Number(args.SIZE ?? 0);
      if (accountOf(session) === undefined) callback(access(listener));
      else if (address === '') callback(NULL_SENDER);
      else if (size > budget.free()) callback(new ReplyError(NO_MEMORY));
      else callback();
    },
    onRcptTo: ({ address }, _, callback) => {
      const fault = recipientFault(address);
      callback(fault === undefined ? null : new ReplyError(fault));
    },
    onData: (stream, session, callback) => {
      const accountNow = (): Account => {
        const account = accountOf(session);
        if (account === undefined) throw access(listener);
        return account;
      };
      receive(stream, session, accountNow, () => connectionWith(session) !== undefined)
        .then(
          (text) => callback(null, text),
          (error: unknown) => callback(asReply(error, log)),
        )
        .finally(() => progress(session));
    },
  });

  const doors = listeners.map((listener) => {
    const server = new DoorServer(listener, {
      name,
      maxBytes,
      idleMs,
      offersAuth: () => accounts.some(({ passwordHash }) => passwordHash !== undefined),
      certificate: listener.tls === 'none' ? undefined : certificate,
      handlers: handlersOf(listener),
      broke: (code) => log('info', 'ConnectionBroke', { code, tls: listener.tls }),
    });
    servers.push(server);
    const socketServer = net.createServer({ noDelay: true }, (socket) => {
      if (gate.admit(socket, listener.tls !== 'implicit')) server.take(socket);
    });
    return { server, socketServer, listener };
  });
  const stopListening = (): void => {
    for (const { socketServer } of doors) socketServer.close();
  };
  const ports: number[] = [];
  try {
    for (const { socketServer, listener } of doors) ports.push(await listen(socketServer, listener));
  } catch (error) {
    stopListening();
    throw error;
  }
  log('info', 'DoorOpen', { ports: ports.join(' '), certificateValidTo: certificate?.validTo.toISOString() });

  return {
    ports,
    certificateValidTo: () => certificate?.validTo,
    reloadCertificate: async () => {
      if (settings.certificate === undefined) return true;
      try {
        const fresh = await readCertificate(settings.certificate);
        for (const server of servers) server.useCertificate(fresh);
        certificate = fresh;
        log('info', 'CertificateLoaded', { validTo: fresh.validTo.toISOString() });
        return true;
      } catch (error) {
        log('error', 'CertificateKept', {
          reason: error instanceof Error ? error.message : 'an error',
          validTo: certificate?.validTo.toISOString(),
        });
        return false;
      }
    },
    useAccounts: (fresh) => {
      const networks = accountsByNetwork(fresh);
      signIn = makeSignIn(fresh, now, log);
      networkOf = networks;
      accounts = fresh;
    },
    close: async (drainMs) => {
      stopListening();
      const closed = Promise.all(
        gate
          .sockets()
          .map(
            (socket) =>
              new Promise((resolve) => (socket.closed ? resolve(0) : socket.once('close', resolve))),
          ),
      );
      for (const server of servers) server.shutDown();
      const timer = setTimeout(() => {
        for (const socket of gate.sockets()) socket.destroy();
      }, drainMs);
      await closed;
      clearTimeout(timer);
    },
  };
};
