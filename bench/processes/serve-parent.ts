type Served = { readonly said: object; readonly close: () => Promise<unknown> };

/** What every child of the bench does: starts, says where it is, and ends with its parent, however that ends. */
export const serveParent = async (start: () => Promise<Served>): Promise<void> => {
  const { said, close } = await start();
  process.once('disconnect', () => {
    void close().finally(() => process.exit(0));
  });
  // A Ctrl-C reaches parent and child alike; the parent decides what it means.
  process.on('SIGINT', () => undefined);
  process.send?.(said);
};
