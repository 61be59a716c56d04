// Looks to sights, as speech_emotion/camera/watching.py has it: faces told apart by their place, judged over time.

const REMEMBERED = 60; // seconds of looks; of each a few probabilities, never a picture

class Watcher {
  constructor() {
    this.faces = []; // {number, face, seen}
    this.number = 0;
    this.looks = []; // {seconds, faces: [{number, side, where, trouble, probabilities}]}
    this.sights = []; // of finished windows, the latest last
    this.window = null;
  }

  /** What was seen at a time (seconds). seen: of `Looker.look`. Returns its faces, each with its number. */
  look(seconds, { width, faces }) {
    const window = Math.floor(seconds / CAMERA.window);
    if (this.window !== null && window !== this.window) {
      this.close(this.window * CAMERA.window, (this.window + 1) * CAMERA.window);
    }
    this.window = window;
    this.faces = this.faces.filter((each) => seconds - each.seen <= CAMERA.forgotten);
    const free = new Set(this.faces);
    const found = faces.slice(0, CAMERA.mostFaces).map((face) => {
      const followed = this.follow(face, free);
      Object.assign(followed, { face, seen: seconds });
      const centre = (face.x + face.side / 2) / width;
      const where = centre < 1 / 3 ? "left" : centre > 2 / 3 ? "right" : "middle";
      return { ...face, number: followed.number, where };
    });
    this.looks.push({ seconds, faces: found });
    while (this.looks[0].seconds < seconds - REMEMBERED) {
      this.looks.shift();
    }
    return found;
  }

  /** The one of those still free that it was, or a new one. */
  follow(face, free) {
    let nearest = null;
    for (const each of free) {
      const distance = Math.hypot(
        face.x + face.side / 2 - each.face.x - each.face.side / 2,
        face.y + face.side / 2 - each.face.y - each.face.side / 2,
      );
      const near = distance <= CAMERA.near * Math.max(face.side, each.face.side);
      if (near && (!nearest || distance < nearest.distance)) {
        nearest = { distance, each };
      }
    }
    if (nearest) {
      free.delete(nearest.each);
      return nearest.each;
    }
    const followed = { number: ++this.number };
    this.faces.push(followed);
    return followed;
  }

  close(begin, end) {
    const all = this.judged(begin, end);
    const none = { face: 0, where: "", probabilities: null, trouble: "no face" };
    this.sights.push(...(all.length ? all : [none]).map((sight) => ({ begin, end, ...sight })));
    this.sights = this.sights.slice(-REMEMBERED);
  }

  within(begin, end) {
    return this.looks.filter(({ seconds }) => seconds >= begin && seconds < end);
  }

  /** Each face of a time, the largest first: {face: its number, looks: in how many it was, side, where, probabilities or
   * null, trouble}. */
  judged(begin, end) {
    const by = new Map();
    for (const { faces } of this.within(begin, end)) {
      for (const face of faces) {
        by.set(face.number, [...(by.get(face.number) ?? []), face]);
      }
    }
    const all = [...by].map(([number, seen]) => {
      const good = seen.filter(({ trouble }) => !trouble);
      const enough = good.length > 0 && good.length >= CAMERA.leastGood * seen.length;
      return {
        face: number,
        looks: seen.length,
        side: seen.reduce((sum, { side }) => sum + side, 0) / seen.length,
        where: seen.at(-1).where,
        probabilities: enough ? means(good.map(({ probabilities }) => probabilities)) : null,
        trouble: enough ? "" : mostFrequent(seen.map(({ trouble }) => trouble).filter(Boolean)),
      };
    });
    return all.sort((a, b) => b.side - a.side);
  }

  /** Whose face belongs to what was said in a time: {face} where one was seen for long enough; else {face: null, why}.
   * A face that was there for a moment only is none; of several it is not known who spoke. */
  partner(begin, end) {
    const looks = this.within(begin, end);
    const covered = looks.length > 1 ? looks.at(-1).seconds - looks[0].seconds + 1 / CAMERA.rate : looks.length / CAMERA.rate;
    if (covered < CAMERA.leastOverlap * (end - begin)) {
      return { face: null, why: "the camera saw too little of it" };
    }
    const there = this.judged(begin, end).filter(({ looks: seen }) => seen >= CAMERA.leastGood * looks.length);
    if (there.length > 1) {
      return { face: null, why: `${there.length} faces were seen, and who of them spoke is not known` };
    }
    if (there.length === 0 || there[0].looks < CAMERA.leastOverlap * looks.length) {
      return { face: null, why: "no face was seen" };
    }
    return there[0].probabilities ? { face: there[0] } : { face: null, why: `the face was ${there[0].trouble}` };
  }
}

function means(rows) {
  return rows[0].map((_, label) => Math.fround(rows.reduce((sum, row) => sum + row[label], 0) / rows.length));
}

function mostFrequent(words) {
  const counts = new Map();
  words.forEach((word) => counts.set(word, (counts.get(word) ?? 0) + 1));
  return [...counts].sort(([, a], [, b]) => b - a)[0]?.[0] ?? "";
}
