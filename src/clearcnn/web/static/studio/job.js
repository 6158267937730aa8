import { ask } from "../ask.js";

const POLL_MILLISECONDS = 300;

/**
 * Follow the server's job, also one that another tab began. Polling needs no open connection, of
 * which a browser allows six to a server for all tabs together.
 *
 * `onevent` gets (event, job) for each event, in order.
 */
export class JobWatch {
  constructor(onevent, onfail) {
    Object.assign(this, { onevent, onfail, number: null, told: 0, running: false });
  }

  /** Tell the end of a check again, in another language. */
  async repeat() {
    if (this.running || !this.number) return;
    const job = await ask(`studio/job?first=${Math.max(0, this.told - 1)}`);
    const last = job?.events.at(-1);
    if (job?.number === this.number && job.kind === "look" && last?.event === "end")
      this.onevent(last, job);
  }

  /** Follow a job until it is over; nothing if it is followed or was already told to its end. */
  async follow(number) {
    if (this.running || (number === this.number && this.isOver)) return;
    this.running = true;
    if (number !== this.number) Object.assign(this, { number, told: 0 });
    try {
      for (;;) {
        const job = await ask(`studio/job?first=${this.told}`);
        if (!job) return;
        if (job.number !== this.number) {
          Object.assign(this, { number: job.number, told: 0 });
          continue;
        }
        this.told += job.events.length;
        this.isOver = job.is_over && ["end", "error", "cancelled"].includes(job.events.at(-1)?.event);
        for (const event of job.events) this.onevent(event, job);
        if (job.is_over && (this.isOver || !job.events.length)) {
          this.isOver = true;
          return;
        }
        await new Promise((resolve) => setTimeout(resolve, POLL_MILLISECONDS));
      }
    } catch (error) {
      this.onfail(error);
    } finally {
      this.running = false;
    }
  }
}
