import { bundle } from './bundle.ts';

await bundle();
console.log('Built dist/main.cjs, the entry, and dist/app.cjs, the app.');
