/** How to get a release: the same bytes, with the program that somebody already has. */
import { formatReleaseName, type ReleaseName } from '../../../core/release/name.ts';
import { filePath } from '../addresses.ts';
import { type Html, html } from '../html.ts';
import { command } from '../pieces.ts';

export interface ToGet {
  readonly release: ReleaseName;
  /** How people reach the registry, without a final `/`. */
  readonly url: string;
  /** A small file and the hex of its SHA-256, for an example. */
  readonly file: { readonly path: string; readonly hex: string } | undefined;
  readonly isOllama: boolean;
}

export function getIt({ release, url, file, isOllama }: ToGet): Html {
  const { namespace, name, version } = release;
  const model = `${namespace}/${name}`;
  const host = new URL(url).host;
  const plain = url.startsWith('http:');
  const way = (title: string, text: string, proves: string) => html`
<details${title === 'weighhouse' ? html` open` : undefined}><summary>${title}</summary>${command(text)}<p class="small">${proves}</p></details>`;
  return html`<div class="ways">
${way(
  'weighhouse',
  `weighhouse pull ${formatReleaseName(release)} --url ${url}`,
  'Checks each chunk as it arrives, the signature, the log, and that nothing newer is kept from you.',
)}
${way(
  'Hugging Face',
  `HF_ENDPOINT=${url} hf download ${model} --revision ${version} --local-dir ${name}`,
  'Works with transformers and vLLM as well. Checks sizes and, with “hf cache verify”, every SHA-256; model.sig comes along for “model_signing verify”.',
)}
${way(
  'OCI',
  `oras pull ${plain ? '--plain-http ' : ''}${host}/${model}:${version} --output ${name}`,
  'oras, skopeo, crane and regctl check each blob against the manifest’s digests.',
)}
${isOllama ? way('Ollama', `ollama pull ${plain ? '--insecure ' : ''}${plain ? 'http://' : ''}${host}/${model}:${version}`, 'Checks each layer against its digest.') : undefined}
${
  file &&
  way(
    'curl',
    `curl -LO ${url}${filePath(release, file.path)}
echo "${file.hex}  ${file.path.split('/').at(-1)}" | sha256sum --check`,
    'One file, against the SHA-256 of this page; that this page is right, the check above proves.',
  )
}
</div>`;
}
