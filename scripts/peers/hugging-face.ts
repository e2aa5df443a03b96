/** Hugging Face's own Python client: run it as `PYTHON -c …` or by `hf` beside it. */
import { installFromPypi } from './install.ts';

/** Resolves to a Python that has the package `huggingface_hub` of that version. */
export function installHuggingFaceHub(version: string): Promise<string> {
  return installFromPypi(`huggingface-hub-${version}`, [`huggingface_hub==${version}`]);
}
