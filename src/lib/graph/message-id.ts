/** The Message-ID of a message as Graph describes it, as RFC 5322 has it; what is not one says nothing. */
export const messageIdOf = (message: object): { readonly internetMessageId?: string } => {
  const { internetMessageId } = message as { readonly internetMessageId?: unknown };
  return typeof internetMessageId === 'string' && /^<[!-;=?-~]{1,900}>$/.test(internetMessageId)
    ? { internetMessageId }
    : {};
};
