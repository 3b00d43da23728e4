// @ts-check

/**
 * Owner of everything that outlives a function call: listeners, timers, fetches, loops. Whatever a
 * scope owns ends with it, all together, so a view that closes leaves nothing running.
 */
export class Scope {
  #controller = new AbortController();

  /** Give this to fetch and to loops. */
  get signal() {
    return this.#controller.signal;
  }

  end() {
    this.#controller.abort();
  }

  /** @param {() => void} dispose called once, when the scope ends; at once if it has ended */
  own(dispose) {
    if (this.signal.aborted) dispose();
    else this.signal.addEventListener("abort", dispose, { once: true });
  }

  /** @returns {Scope} one that ends with this one at the latest */
  child() {
    const child = new Scope();
    const end = () => child.end();
    this.own(end);
    child.own(() => this.signal.removeEventListener("abort", end));
    return child;
  }

  /**
   * @param {EventTarget} target @param {string} type @param {(event: any) => void} listener
   * @param {AddEventListenerOptions} [options]
   */
  listen(target, type, listener, options = {}) {
    target.addEventListener(type, listener, { ...options, signal: this.signal });
  }

  /** @param {number} ms @param {() => void} action @returns {() => void} calls it off */
  after(ms, action) {
    if (this.signal.aborted) return () => {};
    const stop = () => {
      clearTimeout(timer);
      this.signal.removeEventListener("abort", stop);
    };
    const timer = setTimeout(() => {
      stop();
      action();
    }, ms);
    this.signal.addEventListener("abort", stop, { once: true });
    return stop;
  }

  /** @param {number} ms @returns {Promise<void>} fulfilled after *ms*, or when the scope ends */
  sleep(ms) {
    return new Promise((resolve) => {
      if (this.signal.aborted) return resolve();
      const wake = () => {
        clearTimeout(timer);
        this.signal.removeEventListener("abort", wake);
        resolve();
      };
      const timer = setTimeout(wake, ms);
      this.signal.addEventListener("abort", wake, { once: true });
    });
  }
}
