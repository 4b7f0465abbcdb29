/** Counters of one endpoint as `$SRV.STATS` tells them. Times are in nanoseconds, measured until the answer is sent. */
export class EndpointStats {
  requests = 0
  errors = 0
  lastError = ''
  processingNs = 0

  /** When it began, for {@link end}. */
  begin(): number {
    this.requests += 1
    return performance.now()
  }

  end(began: number, error: { readonly status: number; readonly message: string } | undefined): void {
    this.processingNs += Math.round((performance.now() - began) * 1e6)
    if (!error) return
    this.errors += 1
    this.lastError = `${error.status}:${error.message}`
  }

  toJSON(): object {
    return {
      num_requests: this.requests,
      num_errors: this.errors,
      last_error: this.lastError,
      processing_time: this.processingNs,
      average_processing_time: this.requests === 0 ? 0 : Math.round(this.processingNs / this.requests),
    }
  }
}
