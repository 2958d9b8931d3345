/** How an operator has proved who they are. */
type SignedInWith = 'master key' | 'Entra';

/** Who uses the operator page, and whether they may change anything. */
export type Operator = {
  /** With Entra, what Entra says; with the master key, what they wrote. */
  readonly name: string;
  readonly with: SignedInWith;
  readonly mayOperate: boolean;
  /** What a form of this operator is bound to. */
  readonly binding: string;
};

const MAX_NAME = 100;

/** A name as an operator writes it; undefined where it is none, or could pretend to be another text in a list. */
export const readOperatorName = (text: string): string | undefined => {
  const name = text.trim();
  return name === '' || name.length > MAX_NAME || /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u.test(name)
    ? undefined
    : name;
};
