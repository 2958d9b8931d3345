/**
 * Where Microsoft's clouds take files of Outlook items: an upload session is an address of another host, with a token in it
 * (graph: outlook-large-attachments). Whoever could name another address there would get the file, so only hosts under
 * domains of Exchange Online are taken, in which nobody but Microsoft can have a name.
 */
const DOMAINS: Readonly<Record<string, readonly string[]>> = {
  'graph.microsoft.com': ['office.com', 'office365.com'],
  'graph.microsoft.us': ['office365.us'],
  'dod-graph.microsoft.us': ['office365.us', 'apps.mil'],
  'microsoftgraph.chinacloudapi.cn': ['outlook.cn', 'office365.cn'],
};

/** The domains in which the hosts for uploads of a Graph are. */
export const uploadDomainsOf = (graphEndpoint: string): readonly string[] =>
  DOMAINS[new URL(graphEndpoint).hostname] ?? [];

const LOOPBACK = ['localhost', '127.0.0.1'];

/** Whether a file can be given to this address, by the Graph that named it. A stand-in on this machine names addresses of this machine. */
export const isUploadAddress = (text: string, graphEndpoint: string): boolean => {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, port, username, password } = new URL(text);
  if (protocol !== 'https:' || username !== '' || password !== '') return false;
  const graph = new URL(graphEndpoint).hostname;
  if (LOOPBACK.includes(graph)) return LOOPBACK.includes(hostname);
  return port === '' && uploadDomainsOf(graphEndpoint).some((domain) => hostname.endsWith(`.${domain}`));
};
