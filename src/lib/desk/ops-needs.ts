import type { Ports } from '../ports.ts';
import type { RegisterNeeds } from './caller-register.ts';
import type { CloseNeeds } from './close-mail.ts';
import type { IdentifyNeeds } from './identify-operator.ts';
import type { ActNeeds } from './operator-acts.ts';
import type { OverviewNeeds } from './ops-overview.ts';
import type { ReplayNeeds } from './replay-mail.ts';
import type { SearchNeeds } from './search-mail.ts';
import type { TestMailReport, TestMailRequest } from './send-test-mail.ts';
import type { TraceNeeds } from './trace-mail.ts';

/** What the operator page needs, whatever is wrong with the settings. */
export type OpsNeeds = IdentifyNeeds &
  ActNeeds &
  ReplayNeeds &
  CloseNeeds &
  SearchNeeds &
  TraceNeeds &
  Pick<Ports, 'usages'> &
  Pick<RegisterNeeds, 'callerStore' | 'declaredInSettings'> & {
    readonly overview: OverviewNeeds;
    /** Absent where no samples are taken. */
    readonly samples?: Pick<Ports['samples'], 'lastDay' | 'newest'>;
    /** Throws where settings keep it from sending. */
    readonly sendTestMail: (request: TestMailRequest) => Promise<TestMailReport>;
  };
