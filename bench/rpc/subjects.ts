import type { Subject } from './subject.ts'

/** What is compared, in the order in which a round measures them. The names of the JSON report. */
export const SUBJECTS = ['tsmicro', 'tsmicro-unbatched', 'bare', 'moleculer', 'nestjs'] as const

/** Measured only when asked for by `--only`: what a user may do who knows the option. */
export const EXTRA_SUBJECTS = ['bare-tuned'] as const

export const ALL_SUBJECTS: readonly SubjectName[] = [...SUBJECTS, ...EXTRA_SUBJECTS]

export type SubjectName = (typeof SUBJECTS)[number] | (typeof EXTRA_SUBJECTS)[number]

export function isSubject(name: string): name is SubjectName {
  return ALL_SUBJECTS.some(known => known === name)
}

/** Imported by its name, so that a process loads one framework, and this file none. */
export async function loadSubject(name: string): Promise<Subject> {
  const module: { readonly subject: Subject } = await import(`./subjects/${name}.ts`)
  return module.subject
}
