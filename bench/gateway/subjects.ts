import type { Subject } from './subject.ts'

/** What is compared, in the order in which a round measures them. The names of the JSON report. */
export const SUBJECTS = [
  'bare',
  'bare-request',
  'gateway',
  'gateway-apikey',
  'gateway-1000-routes',
  'gateway-platform',
  'fastify',
  'http-proxy-3',
] as const

export type SubjectName = (typeof SUBJECTS)[number]

export function isSubject(name: string): name is SubjectName {
  return SUBJECTS.some(known => known === name)
}

/** Imported by its name, so that a process loads one proxy, and this file none. */
export async function loadSubject(name: string): Promise<Subject> {
  const module: { readonly subject: Subject } = await import(`./subjects/${name}.ts`)
  return module.subject
}
