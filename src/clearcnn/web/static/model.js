import * as ort from "./vendor/ort.wasm.min.mjs";
import { ask } from "./ask.js";

ort.env.wasm.numThreads = 1;
ort.env.wasm.wasmPaths = {
  mjs: new URL("./vendor/ort-wasm-simd-threaded.mjs", import.meta.url).href,
  wasm: new URL("./vendor/ort-wasm-simd-threaded.wasm", import.meta.url).href,
};
ort.env.logLevel = "error";

/** A trained network that runs here, in the browser, and shows every layer's output. */
export class Model {
  /**
   * @param address of its files: layers.onnx and weights
   * @param network as the server describes it, layer by layer
   * @param temperature that the run fitted, by which its answers are as sure as they are right
   */
  static async load(address, network, contract, classNames, temperature = 1) {
    const [content, packed] = await Promise.all([
      ask(`${address}/layers.onnx`, {}, "arrayBuffer"),
      ask(`${address}/weights`, {}, "arrayBuffer"),
    ]);
    const session = await ort.InferenceSession.create(content, { executionProviders: ["wasm"] });
    return Object.assign(new Model(), {
      session,
      network,
      contract,
      classNames,
      temperature,
      weights: unpack(packed),
      layers: network.layers,
    });
  }

  /** Run one image. Returns probabilities, and each layer's values by name, channels last. */
  async run(pixels) {
    const { dtype, shape } = this.contract;
    const images = new ort.Tensor(dtype, pixels, [1, ...shape]);
    this.running = this.session.run({ images });
    const found = await this.running;
    const outputs = new Map(this.layers.map(({ name }) => [name, found[name]?.data]));
    // A last layer named probabilities is the output itself.
    outputs.set(this.layers.at(-1).name, found.probabilities.data);
    const probabilities = temper(found.probabilities.data, this.temperature);
    return { pixels: Float32Array.from(pixels), probabilities, outputs };
  }

  /** The input of a layer in a result: values and shape. */
  inputOf(position, result) {
    if (position === 0) return { values: result.pixels, shape: this.contract.shape };
    const before = this.layers[position - 1];
    return { values: result.outputs.get(before.name), shape: before.output_shape };
  }

  /** Release the memory after the current inference; the model cannot run again. */
  async release() {
    await this.running?.catch(() => {});
    await this.session.release();
  }
}

/** Probabilities at a temperature, as the server gives them (Guo et al. 2017). */
function temper(probabilities, temperature) {
  if (temperature === 1) return probabilities;
  // float32's epsilon avoids the logarithm of zero.
  const logits = Array.from(probabilities, (p) => Math.log(Math.max(p, 2 ** -23)) / temperature);
  const most = Math.max(...logits);
  const powers = logits.map((logit) => Math.exp(logit - most));
  const sum = powers.reduce((a, b) => a + b, 0);
  return Float32Array.from(powers, (power) => power / sum);
}

function unpack(packed) {
  const length = new DataView(packed).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(packed, 4, length)));
  const values = new Float32Array(packed, 4 + length);
  const weights = new Map();
  for (const [name, { shape, start }] of Object.entries(header)) {
    const size = shape.reduce((a, b) => a * b, 1);
    weights.set(name, values.subarray(start, start + size));
  }
  return weights;
}
