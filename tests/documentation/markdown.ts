/** A fenced block of a Markdown page. */
export interface Block {
  /** `sh`, `json`, `text`, `ts`, … */
  readonly language: string
  readonly code: string
  /** Its location, for messages: `docs/x.md:12`. */
  readonly place: string
}

/** The fenced blocks of a page, in order. */
export function blocksOf(page: string, markdown: string): readonly Block[] {
  const blocks: Block[] = []
  const fence = /^```(\w*)\n([\s\S]*?)^```$/gm
  for (const match of markdown.matchAll(fence)) {
    const line = markdown.slice(0, match.index).split('\n').length
    blocks.push({ language: match[1] ?? '', code: match[2] ?? '', place: `${page}:${line}` })
  }
  return blocks
}

/** The file that a block is to be written to: named by its first line, `// path/file.ts`, `-- path/file.sql` or `# path/file.yml`. */
export function fileOf(block: Block): string | undefined {
  return /^(?:\/\/ (?=\S+\.ts\n)|-- (?=\S+\.sql\n)|# (?=\S+\.yml\n))(\S+)\n/.exec(block.code)?.[1]
}

/** The file of the repository that a block is a part of: named by its first line, `// from path/file.ts`. */
export function sourceOf(block: Block): string | undefined {
  return /^\/\/ from (\S+)\n/.exec(block.code)?.[1]
}
