/** Tells its parent what time it is, at its start and at every message. */
const tell = () =>
  process.send?.({
    now: Date.now(),
    made: Date.parse(new Date().toISOString()),
    given: new Date(5).getTime(),
  });
process.on('message', tell);
tell();
