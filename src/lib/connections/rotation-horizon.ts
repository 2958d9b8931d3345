/** What is known of a version of a secret. */
type Version = {
  readonly tags: Readonly<Record<string, string>>;
  readonly createdOn?: Date;
  readonly expiresOn?: Date;
};

/** The tag of a version in the vault, by which a secret that the relay made is known again. */
export const MADE_BY_TAG = 'made-by';
export const MADE_BY = 'graph-mail-relay';

const DAY_MS = 86_400_000;
/** The renewal runs daily, and tries again what failed. */
const GRACE_DAYS = 2;

/** Whether the relay made this version, and renews it. */
export const isMadeByRelay = ({ tags }: Pick<Version, 'tags'>): boolean => tags[MADE_BY_TAG] === MADE_BY;

/**
 * With so many days left or fewer, the renewal of a secret of the relay is overdue. With more, its end is nothing to warn of, whatever the
 * thresholds are: a secret that lives for 28 days begins below most of them. Without end where the relay does not renew it.
 */
export const rotationHorizonDays = (version: Version, rotationDays: number | undefined): number => {
  const { createdOn, expiresOn } = version;
  if (rotationDays === undefined || !isMadeByRelay(version)) return Number.POSITIVE_INFINITY;
  if (createdOn === undefined || expiresOn === undefined) return Number.POSITIVE_INFINITY;
  const lifeDays = (expiresOn.getTime() - createdOn.getTime()) / DAY_MS;
  return Math.max(0, Math.floor(lifeDays - rotationDays - GRACE_DAYS));
};
