export { makeFolder } from './make-folder.js';
export { codeOf, reasonOf, storageFailed } from './storage-failed.js';
export { writeDurably } from './write-durably.js';
export { removeUnfinished, unfinishedPrefix, writeFolder } from './write-folder.js';
