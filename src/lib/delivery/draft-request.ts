import type { Ports } from '../ports.ts';
import { type DraftStage, decideStage, type NotFinished } from '../sending/draft-stage.ts';
import type { SendReport } from '../sending/send-outcome.ts';
import { timedReport } from './timed-report.ts';

/** The draft cannot be finished, for this reason. Thrown inside the room only, by whatever step finds out. */
export class Unfinished extends Error {
  override readonly name = 'Unfinished';
  readonly outcome: NotFinished;

  constructor(outcome: NotFinished) {
    super('the draft was not finished');
    this.outcome = outcome;
  }
}

export const unfinished = (detail: string): Unfinished =>
  new Unfinished({ kind: 'not-sent', code: 'DRAFT_UNFINISHED', detail });

/** Makes a request once, and once more only where Graph refused the token, for which the adapter has made a new one. */
export const withFreshToken = async <Answer>(
  request: () => Promise<Answer>,
  reportOf: (answer: Answer) => SendReport,
): Promise<Answer> => {
  const answer = await request();
  const report = reportOf(answer);
  return report.kind === 'answered' && report.status === 401 ? request() : answer;
};

/** Throws Unfinished unless the answer says that the stage is done. */
export const requireDone = (now: Date, stage: DraftStage, report: SendReport): void => {
  const decided = decideStage(stage, report, now);
  if (decided !== 'done') throw new Unfinished(decided);
};

/** Makes a request of a stage. Throws Unfinished unless it is done. */
export const mustBeDone = async (
  needs: Pick<Ports, 'clock'>,
  stage: DraftStage,
  request: () => Promise<SendReport>,
): Promise<void> => {
  const report = await withFreshToken(
    () => timedReport(needs, request),
    (answer) => answer,
  );
  requireDone(needs.clock.now(), stage, report);
};
