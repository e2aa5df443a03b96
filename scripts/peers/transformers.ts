/** Transformers without a framework: it reads configurations and tokenizers, and safetensors with NumPy. */
import { installFromPypi } from './install.ts';

/** Resolves to a Python that has the package `transformers`, with a huggingface_hub that it takes. */
export function installTransformers(): Promise<string> {
  const packages = ['transformers==5.24.0', 'huggingface_hub==2.4.0', 'numpy', 'safetensors'];
  return installFromPypi('transformers-5.24.0', packages);
}
