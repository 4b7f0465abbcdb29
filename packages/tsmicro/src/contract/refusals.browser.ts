/** In place of `refusals.ts` in browsers: the services have made the same contracts, and the bundle is smaller by a tenth. */
const nothing = (): void => {}

/** @public */
export const checkProcedure = nothing
/** @public */
export const checkEvent = nothing
/** @public */
export const checkError = nothing
/** @public */
export const checkMembers = nothing
