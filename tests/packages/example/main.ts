import { check } from './check.ts'

console.log(await check())
