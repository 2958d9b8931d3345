/** A wrong command line in two lines: what is wrong, and where the usage is. */
export const wrongUsage = (message: string, command: string): string => {
  // Node's parseArgs adds advice on positional arguments, which these commands do not take with a dash.
  const [what = ''] = message.split('. To specify');
  return `${what.replace(/\.?$/, '.')}\nFor the usage: ${command} -- --help`;
};
