/**
 * The environment of a new terminal, without the variables that npm and the test runner set for this process: they would leak into the npm
 * and the tests that the pages start.
 */
export function terminalEnvironment(extra: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) =>
      !/^(npm_(lifecycle|package|command|execpath|node_execpath|config_(local_prefix|global_prefix|prefix))|NODE_(TEST|OPTIONS|CHANNEL)|INIT_CWD)/.test(
        name,
      ),
  )
  return { ...Object.fromEntries(kept), ...extra }
}
