import { create as contentDisposition } from 'content-disposition'
import type { OpenFile } from './file-answer.ts'

/** What the headers of an answer say about a file, at both doors. @param length bytes that are sent */
export function headersOfFile(
  { name, type, size }: OpenFile,
  length: number | undefined = size,
): Readonly<Record<string, string>> {
  return {
    'content-type': type.startsWith('text/') ? `${type}; charset=utf-8` : type,
    ...(length === undefined ? {} : { 'content-length': String(length) }),
    ...(name === undefined ? {} : { 'content-disposition': contentDisposition(baseName(name)) }),
  }
}

/** Without its folders, which a browser would have to guess what to do with. */
function baseName(name: string): string {
  return (
    name
      .toWellFormed()
      .replaceAll(/\p{Cc}/gu, ' ')
      .split(/[\\/]/)
      .at(-1)
      ?.trim() || 'file'
  )
}
