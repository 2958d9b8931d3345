import type { Drafts, RangeReport, Upload } from '../../src/lib/ports.ts';
import type { Sighting } from '../../src/lib/sending/look-up-plan.ts';
import type { SendReport } from '../../src/lib/sending/send-outcome.ts';
import type { PortCall } from './in-memory-ports.ts';

type FakeFile = { readonly name: string; readonly bytes: number };
type FakeDraft = {
  readonly id: string;
  readonly mailbox: string;
  readonly mailId: string;
  readonly createdAt: Date;
  readonly files: FakeFile[];
  state: 'draft' | 'sent' | 'removed';
};

/** How a call goes: as it should, or what is reported instead, after it happened or not. */
export type DraftFault = { readonly report: SendReport; readonly happens?: boolean };

type Do = <Value>(call: PortCall, act: () => Value) => Promise<Awaited<Value>>;
type FaultyCall = Exclude<PortCall, `ledger.${string}`>;

const answered = (status: number): SendReport => ({ kind: 'answered', status });

/** Drafts in memory, with uploads; each call can be given faults, which it has one after the other. */
export const makeFakeDrafts = () => {
  const drafts: FakeDraft[] = [];
  const faults = new Map<FaultyCall, (DraftFault | undefined)[]>();
  let host: string | undefined;
  let sighting: Sighting | undefined;

  const find = (id: string) => drafts.find((draft) => draft.id === id && draft.state !== 'removed');
  const unsent = (id: string) => (find(id)?.state === 'draft' ? find(id) : undefined);

  const portOf = (done: Do): Drafts => {
    const ask = (call: FaultyCall, happen: () => SendReport): Promise<SendReport> =>
      done(call as PortCall, () => {
        const fault = faults.get(call)?.shift();
        if (fault === undefined) return happen();
        if (fault.happens) happen();
        return fault.report;
      });

    const uploadTo = (id: string, name: string, total: number): Upload => {
      let received = 0;
      return {
        put: async (bytes, start) => {
          let next: { nextStart?: number } = {};
          const report = await ask('upload.put', () => {
            if (start !== received) return answered(416);
            received += bytes.length;
            if (received < total) {
              next = { nextStart: received };
              return answered(200);
            }
            unsent(id)?.files.push({ name, bytes: received });
            return answered(201);
          });
          const isHeard = report.kind === 'answered' && report.status === 200;
          return { ...report, ...(isHeard ? next : {}) } as RangeReport;
        },
        ask: async () => {
          const report = await ask('upload.ask', () => answered(received < total ? 200 : 404));
          const isOpen = report.kind === 'answered' && report.status === 200;
          return { ...report, ...(isOpen ? { nextStart: received } : {}) } as RangeReport;
        },
      };
    };

    return {
      create: async (mailbox, { contentType, body }) => {
        let id = '';
        const report = await ask('drafts.create', () => {
          id = `draft-${drafts.length + 1}`;
          const mailId = contentType === 'application/json' ? mailIdIn(body) : '';
          drafts.push({ id, mailbox, mailId, createdAt: new Date(0), files: [], state: 'draft' });
          return answered(201);
        });
        const isKnown = report.kind === 'answered' && report.status === 201 && id !== '';
        return {
          report,
          ...(isKnown ? { draft: { id, internetMessageId: `<${id}@contoso.example>` } } : {}),
        };
      },
      mark: () => ask('drafts.mark', () => answered(200)),
      attach: (_mailbox, id, body) =>
        ask('drafts.attach', () => {
          const { name, contentBytes } = JSON.parse(body.toString()) as Record<string, string>;
          const bytes = Buffer.from(contentBytes ?? '', 'base64').length;
          return answered(unsent(id)?.files.push({ name: name ?? '', bytes }) === undefined ? 404 : 201);
        }),
      openUpload: async (_mailbox, id, { name, size }) => {
        const report = await ask('drafts.openUpload', () => answered(unsent(id) === undefined ? 404 : 201));
        if (report.kind !== 'answered' || report.status !== 201) return { report };
        return host === undefined
          ? { report, upload: uploadTo(id, name, size), nextStart: 0 }
          : { report, strangeHost: host };
      },
      send: (_mailbox, id) =>
        ask('drafts.send', () => {
          const draft = unsent(id);
          if (draft === undefined) return answered(404);
          draft.state = 'sent';
          return answered(202);
        }),
      look: (_mailbox, id) =>
        done('drafts.look', (): Sighting => {
          if (sighting !== undefined) return sighting;
          const draft = find(id);
          if (draft === undefined) return { kind: 'absent' };
          return draft.state === 'sent' ? { kind: 'found' } : { kind: 'draft' };
        }),
      remove: async (_mailbox, id) => {
        const report = await ask('drafts.remove', () => {
          const draft = find(id);
          if (draft === undefined) return answered(404);
          draft.state = 'removed';
          return answered(204);
        });
        const status = report.kind === 'answered' ? report.status : 0;
        return status === 204 ? 'removed' : status === 404 ? 'gone' : 'failed';
      },
      listOf: (_mailbox, mailId) =>
        done('drafts.listOf', () =>
          drafts.filter((draft) => draft.state === 'draft' && draft.mailId === mailId),
        ),
      listBefore: (mailbox, before) =>
        done('drafts.listBefore', () =>
          drafts.filter(
            (draft) => draft.state === 'draft' && draft.mailbox === mailbox && draft.createdAt < before,
          ),
        ),
    };
  };

  return {
    portOf,
    drafts,
    /** The next calls of this kind go so; undefined is one that goes well. */
    fault: (call: FaultyCall, ...next: readonly (DraftFault | undefined)[]) =>
      void faults.set(call, [...next]),
    /** Uploads go to this host from now on. */
    strangeHost: (name: string) => {
      host = name;
    },
    /** What every look shows from now on. */
    show: (next: Sighting | undefined) => {
      sighting = next;
    },
    put: (draft: Partial<FakeDraft> & { readonly id: string }) =>
      void drafts.push({
        mailbox: 'noreply@contoso.example',
        mailId: '',
        createdAt: new Date(0),
        files: [],
        state: 'draft',
        ...draft,
      }),
  };
};

const mailIdIn = (body: Buffer): string =>
  (
    JSON.parse(body.toString()) as {
      readonly singleValueExtendedProperties: readonly { readonly value: string }[];
    }
  ).singleValueExtendedProperties[0]?.value ?? '';
