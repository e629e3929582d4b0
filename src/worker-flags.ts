const importsOnly = '--no-experimental-require-module';

/**
 * Flags of Node for the threads of a pool: modules are imported, never required. The pool
 * would `require` ours first, and where a thread is ended within that Node 20.20 aborts the
 * whole process ("v8::Module::IsGraphAsync must be used on an instantiated module").
 */
export const workerFlags: readonly string[] = process.allowedNodeEnvironmentFlags.has(importsOnly)
  ? [importsOnly]
  : [];
