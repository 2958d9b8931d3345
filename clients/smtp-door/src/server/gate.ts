import type net from 'node:net';
import { plainAddress, sourceOf, visitKey } from './networks.ts';

type GateSettings = {
  readonly maxConnections: number;
  readonly maxConnectionsPerAddress: number;
  /** How long a connection can take for one email, or to begin one. */
  readonly patienceMs: number;
};

const TOO_MANY = '421 4.3.2 Too many connections. Try again in a minute.\r\n';
const TOO_MANY_OF_YOURS = '421 4.7.0 Too many connections from this address. Close some, or try again.\r\n';

/**
 * Counts the connections of all listeners. `expired` hears of those that took too long, and says whether they may stay. Where there is
 * no room, the oldest of a stranger, who has not signed in, makes some: else anyone could fill the door with connections that say nothing.
 */
export const makeGate = (
  { maxConnections, maxConnectionsPerAddress, patienceMs }: GateSettings,
  {
    expired,
    isStranger,
    crowdedOut,
    end,
  }: {
    readonly expired: (key: string) => 'stay' | 'end';
    readonly isStranger: (key: string, address: string) => boolean;
    /** Hears of a connection before it ends to make room. */
    readonly crowdedOut: (key: string) => void;
    /** Ends a connection that the gate let in. */
    readonly end: (key: string, socket: net.Socket) => void;
  },
) => {
  const open = new Map<string, { readonly socket: net.Socket; timer: NodeJS.Timeout }>();
  const bySource = new Map<string, number>();
  const timerOf = (key: string, socket: net.Socket): NodeJS.Timeout =>
    setTimeout(() => {
      const visit = open.get(key);
      if (visit === undefined) return;
      if (expired(key) === 'stay') visit.timer = timerOf(key, socket);
      else end(key, socket);
    }, patienceMs).unref();
  const makeRoom = (): void => {
    const [key, visit] =
      [...open].find(([of, { socket }]) => isStranger(of, plainAddress(socket.remoteAddress))) ?? [];
    if (key === undefined) return;
    clearTimeout(visit?.timer);
    open.delete(key);
    crowdedOut(key);
    if (visit !== undefined) end(key, visit.socket);
  };
  return {
    /** Lets a connection in, or ends it. */
    admit: (socket: net.Socket, speaksFirst: boolean): boolean => {
      socket.on('error', () => {});
      const source = sourceOf(plainAddress(socket.remoteAddress));
      const count = bySource.get(source) ?? 0;
      if (open.size >= maxConnections && count < maxConnectionsPerAddress) makeRoom();
      const refusal =
        open.size >= maxConnections
          ? TOO_MANY
          : count >= maxConnectionsPerAddress
            ? TOO_MANY_OF_YOURS
            : undefined;
      if (refusal !== undefined || socket.destroyed) {
        if (speaksFirst) socket.write(refusal ?? '');
        socket.destroySoon();
        return false;
      }
      const key = visitKey(socket.remoteAddress, socket.remotePort, socket.localPort ?? 0);
      open.set(key, { socket, timer: timerOf(key, socket) });
      bySource.set(source, count + 1);
      socket.once('close', () => {
        clearTimeout(open.get(key)?.timer);
        open.delete(key);
        const left = (bySource.get(source) ?? 1) - 1;
        if (left === 0) bySource.delete(source);
        else bySource.set(source, left);
      });
      return true;
    },
    /** The client brought its email further: its time begins again. */
    progress: (key: string): void => {
      const visit = open.get(key);
      if (visit === undefined) return;
      clearTimeout(visit.timer);
      visit.timer = timerOf(key, visit.socket);
    },
    sockets: (): readonly net.Socket[] => [...open.values()].map(({ socket }) => socket),
  };
};
