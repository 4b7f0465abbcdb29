/**
 * One of something for all test files in this process, which by hand may be several (`tools/test/groups.ts`): the first one to ask
 * starts it, and it ends with the last one that has asked.
 */
export function shared<T extends AsyncDisposable>(start: () => Promise<T>): () => Promise<T> {
  let started: Promise<T> | undefined
  let users = 0
  return async () => {
    users++
    started ??= start()
    const thing = await started
    const dispose = async () => {
      users--
      if (users === 0) await thing[Symbol.asyncDispose]()
    }
    return { ...thing, [Symbol.asyncDispose]: dispose }
  }
}
