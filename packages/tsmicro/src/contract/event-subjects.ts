/** The kind of aggregate that an event is about: `user` for `user.roles.changed`. All subjects of a type belong to one service. */
export function typeOfEvent(subject: string): string {
  const [type = ''] = subject.split('.', 1)
  return type
}

/** The stream with the events of a type. */
export function eventStream(type: string): string {
  return `EVENTS_${type}`
}

/** The stream with the events that a service could not handle. */
export function deadStream(service: string): string {
  return `DEAD_${service}`
}

/** The first tokens of the subjects in {@link deadStream}. */
export function deadSubject(service: string): string {
  return `_TSMICRO.dead.${service}`
}

/** A handler's consumer, on the stream of each type that it reads. Neither name contains a `_`. */
export function durableOf(service: string, handler: string): string {
  return `${service}_${handler}`
}

/** Where operators ask any instance of a service about its events. */
export function eventsDoor(service: string): string {
  return `_TSMICRO.events.${service}`
}

/** Where the processes of a service tell each other that there is something to send. */
export function outboxSubject(service: string): string {
  return `_TSMICRO.outbox.${service}`
}
