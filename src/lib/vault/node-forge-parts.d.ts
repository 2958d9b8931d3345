/** The object to which each file of the library adds its part; the published types know the whole only. */
declare module 'node-forge/lib/forge.js' {
  import forge from 'node-forge';
  export default forge;
}
declare module 'node-forge/lib/pkcs12.js';
declare module 'node-forge/lib/pki.js';
declare module 'node-forge/lib/sha512.js';
