/** A machine that asks to be let in, over HTTP as any client of OAuth would. */
import type { Loose } from './loose.ts';
import type { Served } from './served.ts';

export const GRANT = 'urn:ietf:params:oauth:grant-type:device_code';

export interface Told {
  readonly status: number;
  readonly body: Loose;
}

export class Machine {
  readonly #served: Served;
  readonly code: string;
  readonly deviceCode: string;
  readonly begun: Loose;

  private constructor(served: Served, begun: Loose) {
    this.#served = served;
    this.begun = begun;
    this.code = begun.user_code;
    this.deviceCode = begun.device_code;
  }

  /** Asks for the codes; `fields` beside the client's name. */
  static async ask(
    served: Served,
    fields: Readonly<Record<string, string>> = {},
  ): Promise<Machine> {
    const { status, body } = await post(`${served.url}/api/v1/device`, {
      client_id: 'test',
      ...fields,
    });
    if (status !== 200) throw new Error(`${status}: ${JSON.stringify(body)}`);
    return new Machine(served, body);
  }

  /** Polls; at the server with that address. */
  poll(url = this.#served.url, deviceCode = this.deviceCode): Promise<Told> {
    return post(`${url}/api/v1/device/token`, { grant_type: GRANT, device_code: deviceCode });
  }
}

export async function post(url: string, form: Readonly<Record<string, string>>): Promise<Told> {
  const response = await fetch(url, { method: 'POST', body: new URLSearchParams(form) });
  return { status: response.status, body: (await response.json()) as Loose };
}
