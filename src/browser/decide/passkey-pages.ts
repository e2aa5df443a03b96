/** On which pages a passkey works: a browser keeps one for a host name (Web Authentication, section 5.1.4.1). */

/** Why none works on a page at this address; undefined where they do. */
export function whyNoPasskeys({ hostname, port }: Pick<URL, 'hostname' | 'port'>) {
  if (/^127\.|^\[::1\]$/.test(hostname)) {
    const local = `http://localhost${port === '' ? '' : `:${port}`}`;
    return `A passkey belongs to a host name, and ${hostname} is an address. For one, this server is started with “--public-url ${local}” and opened there.`;
  }
  if (/^\[|^[0-9.]+$/.test(hostname)) {
    return `A passkey belongs to a host name, and ${hostname} is an address. Open this registry by its name.`;
  }
  return 'PublicKeyCredential' in globalThis ? undefined : 'This browser has no passkeys.';
}
