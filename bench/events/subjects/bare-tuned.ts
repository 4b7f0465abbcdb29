import type { Open } from '../subject.ts'
import { openBare } from './bare.ts'

export const open: Open = urls => openBare(urls, true)
