// The microphone's side: runs in the audio thread, after resampler.js in the same module. Posts int16 blocks
// at the recogniser's rate.

class Listener extends AudioWorkletProcessor {
  constructor({ processorOptions }) {
    super();
    this.resampler = new Resampler(sampleRate, processorOptions.rate);
    this.block = new Int16Array(processorOptions.block);
    this.filled = 0;
  }

  process([channels]) {
    if (channels.length === 0) {
      return true; // the microphone has not started yet
    }
    for (const sample of toInt16(this.resampler.push(mix(channels)))) {
      this.block[this.filled++] = sample;
      if (this.filled === this.block.length) {
        this.port.postMessage(this.block);
        this.filled = 0;
      }
    }
    return true;
  }
}

registerProcessor("listener", Listener);
