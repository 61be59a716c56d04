// The microphone's side: runs in the audio thread, after resampler.js in the same module. Posts int16 blocks
// at the recogniser's rate.

const GATHERED = 1024; // input samples that are resampled together: quicker than the 128 that come at a time

class Listener extends AudioWorkletProcessor {
  constructor({ processorOptions }) {
    super();
    this.resampler = new Resampler(sampleRate, processorOptions.rate);
    this.gathered = new Float32Array(GATHERED);
    this.gatheredCount = 0;
    this.block = new Int16Array(processorOptions.block);
    this.filled = 0;
  }

  process([channels]) {
    if (channels.length > 0) { // else the microphone has not started yet
      const mono = mix(channels);
      this.gathered.set(mono, this.gatheredCount);
      this.gatheredCount += mono.length;
      if (this.gatheredCount + mono.length > GATHERED) {
        this.post(toInt16(this.resampler.push(this.gathered.slice(0, this.gatheredCount))));
        this.gatheredCount = 0;
      }
    }
    return true;
  }

  /** Sends what fills a block; the rest waits. */
  post(samples) {
    for (let taken = 0; taken < samples.length; ) {
      const more = samples.subarray(taken, taken + this.block.length - this.filled);
      this.block.set(more, this.filled);
      this.filled += more.length;
      taken += more.length;
      if (this.filled === this.block.length) {
        this.port.postMessage(this.block);
        this.filled = 0;
      }
    }
  }
}

registerProcessor("listener", Listener);
