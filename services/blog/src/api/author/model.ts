/** A user's public profile as this service keeps it in the collection `authors`. */
export interface Author {
  /** UUID of the user. */
  readonly _id: string
  readonly name: string
  readonly profilePicUrl?: string
  /** The auth service's count of the user's changes; 0 = not known, anything counted is newer. */
  readonly version: number
}
