/** Many operations at once may wait longer than usual for one of ten connections, on a busy machine. */
export const PATIENT_MONGO = { serverSelectionTimeoutMs: 60_000 }
