// @ts-check
import { signal } from "../lib/signals.js";

/**
 * A value that only events change. Components that read `value` are rendered again when it changes.
 *
 * @template State, Event
 * @param {(state: State, event: Event) => State} reduce pure
 * @param {State} initial
 */
export function createStore(reduce, initial) {
  const state = signal(initial);
  return {
    get value() {
      return state.value;
    },
    /** @param {Event} event */
    dispatch(event) {
      state.value = reduce(state.peek(), event);
    },
  };
}
