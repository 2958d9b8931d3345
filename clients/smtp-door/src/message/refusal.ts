/** Why a message cannot be sent, as the client is told. */
export type Refusal = {
  readonly kind: 'refused';
  readonly code: number;
  readonly enhanced: string;
  readonly text: string;
};

/** A refusal of the content: RFC 3463, X.6.0, unless another code fits better. */
export const refuse = (text: string, enhanced = '5.6.0', code = 550): Refusal => ({
  kind: 'refused',
  code,
  enhanced,
  text,
});
