/** The directory of the SQL files that make the tables. */
export const MIGRATIONS = new URL('../../migrations/', import.meta.url)
