/**
 * Members that come and go by the thousand a second, in no order. A `Set` would do it too, were it not for V8's collector: a
 * table that a `Set` or `Map` replaced still points to the one that came after it, so once such a table has grown old, every
 * later one stays until the next full collection, with all that was ever in it (decision 0010). An array has no such chain.
 */

/** Where a member stands. It moves when others leave. */
export type Place<Member> = { readonly member: Member; at: number };

const gone = -1;

export class Crowd<Member> {
  readonly #places: Place<Member>[] = [];

  get size(): number {
    return this.#places.length;
  }

  add(member: Member): Place<Member> {
    const place = { member, at: this.#places.length };
    this.#places.push(place);
    return place;
  }

  /** False when it was not there any more. */
  remove(place: Place<Member>): boolean {
    if (place.at === gone) return false;
    const last = this.#places.pop();
    if (last !== undefined && last !== place) {
      this.#places[place.at] = last;
      last.at = place.at;
    }
    place.at = gone;
    return true;
  }

  /** The places of all members, as a copy. */
  all(): Place<Member>[] {
    return [...this.#places];
  }

  /** The places of members that are chosen, as a copy. */
  those(isChosen: (member: Member) => boolean): Place<Member>[] {
    return this.#places.filter(({ member }) => isChosen(member));
  }
}
