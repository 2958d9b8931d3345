/** A name as `Host` has it (RFC 1123); no address, which is not a name for this machine alone. */
const NAME =
  /^(?!\d+(?:\.\d+)*$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*$/;
const LONGEST = 253;

/** The further names by which containers call the inbox, such as `mailpit`. Throws an Error. */
export const readHostNames = (given: readonly string[]): readonly string[] =>
  given.map((text) => {
    const name = text.trim().toLowerCase();
    if (NAME.test(name) && name.length <= LONGEST) return name;
    throw new Error(
      `--host-name: expected a host name without a port, such as mailpit, received ${JSON.stringify(text)}.`,
    );
  });
