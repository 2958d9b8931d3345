import { bundle } from './bundle.ts';

const files = await bundle();
console.log(`Built ${files.length} files in dist: main.cjs is the entry, app.cjs the app.`);
