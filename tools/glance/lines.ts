/** The lines of a program that are counted: neither imports nor comments nor blank ones. */
export function countedLines(code: string): string[] {
  return withoutImports(code)
    .split('\n')
    .filter(line => line.trim() !== '' && !/^\s*(\/\/|\/\*|\*)/.test(line))
}

export const withoutImports = (code: string): string =>
  code.replaceAll(/^import\s(?:[^'"]*?\sfrom\s)?['"][^'"\n]+['"]\n/gm, '').trimStart()
