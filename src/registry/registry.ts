/**
 * The registry's use cases, as the server and the operator's commands call them. Each file
 * of this room tells one of them from the top: `namespaces.ts`, `drafts.ts` (open, reopen,
 * withdraw), `files.ts` (declare, upload, complete), `seal.ts`, `publish.ts`, `advise.ts`,
 * `releases.ts` (what is public), `freshness.ts`. `open.ts` puts them together; what they
 * keep in the store is in `documents/`.
 *
 * Who may do what is decided here (`access.ts`), from the caller, not in the server.
 */
import type { Digest } from '../core/digest.ts';
import type { AdvisoryKind } from '../core/log/entry.ts';
import type { Descriptor } from '../core/oci/artifact.ts';
import type { Claims } from '../core/release/claims.ts';
import type { DocumentName } from '../core/release/documents.ts';
import type { Manifest } from '../core/release/manifest.ts';
import type { Missing } from '../core/release/missing.ts';
import type { Model, Namespace, ReleaseName } from '../core/release/name.ts';
import type { NotCounted } from '../core/release/passed-over.ts';
import type { Restriction } from '../core/release/readers.ts';
import type { Revision } from '../core/release/revision.ts';
import type { Role } from '../core/release/roles.ts';
import type { Identity } from '../core/release/trusted-publisher.ts';
import type { ByteRange, ReadAs, SignedRequest } from '../store/contract.ts';
import type { ListedDraft } from './draft-list.ts';
import type {
  BlindCommitment,
  Disclosure,
  DraftDecisions,
  PolicyChange,
  PolicyLogged,
  PolicyVersion,
  RecordedDecision,
  ShownDecision,
  VoidRequest,
} from './gate-shapes.ts';
import type { Amount, Usage } from './quotas.ts';
import type { Admission } from './trusted-publishers.ts';

/** Who asks, as the token says. The server makes it; a request without a token has none. */
export interface Caller {
  /** Name in the token; for logs. */
  readonly subject: string;
  readonly roles: readonly (Role | 'operator')[];
  /** The one namespace the token is for; undefined means all of them. */
  readonly namespace: Namespace | undefined;
  /** Set for the credential of an upload session: it may upload to this draft and do nothing else. */
  readonly session?: ReleaseName;
  /**
   * True for a CI job of a trusted publisher. It has no role: `access.ts` lets it push and seal
   * in its namespace, and whatever asks for a role refuses it without having thought of it.
   */
  readonly ci?: boolean;
}

/**
 * Who reads; undefined for nobody known. It is asked only where it matters: what is everybody's is
 * given to who shows a token of another host, too.
 */
export type WhoReads = () => Promise<Caller | undefined>;

export type DraftState = 'draft' | 'sealed' | 'publishing' | 'published' | 'withdrawn';

/** What a draft's status shows. */
export interface DraftStatus {
  readonly release: ReleaseName;
  readonly state: DraftState;
  /** Counts seals; the digest of this revision is there once it is sealed. */
  readonly revision: number;
  readonly digest?: Digest;
  /** Digests of earlier revisions. */
  readonly former: readonly Digest[];
  /** What the gate still lacks. */
  readonly missing: readonly Missing[];
  /** What was decided, on former revisions too; for those who take part in the namespace. */
  readonly decisions: readonly ShownDecision[];
  /** Approvals and evaluations of what is sealed that the gate does not count; for the same. */
  readonly passedOver: readonly NotCounted[];
  /** Log index of the policy in force. */
  readonly policyIndex: number;
  /** A seal under way (bytes read of bytes to read), or why the last one failed. */
  readonly seal?:
    | { readonly running: true; readonly bytes: number; readonly total: number }
    | {
        readonly running: false;
        readonly error: { readonly code: string; readonly message: string };
      };
  /** Log index, once published. */
  readonly index?: number;
}

/** A file as its publisher declares it, after hashing it. */
export interface DeclaredFile {
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  readonly sha256: Digest;
  readonly chunks: { readonly size: number; readonly root: Digest };
}

/** What is left to do for a declared file. Parts are the file's chunks, numbered from 1. */
export type FileTicket =
  | { readonly state: 'stored' }
  | {
      readonly state: 'upload';
      readonly upload: string;
      /** Bytes of every part but the last: the chunk size. */
      readonly partSize: number;
      /** Parts that are there already, with the SHA-256 that they came with. */
      readonly parts: readonly NamedPart[];
      /** Set where the parts are sent to the store itself, by signed requests. */
      readonly direct?: true;
    };

/** A part by its number, from 1, and the SHA-256 of its bytes. */
export interface NamedPart {
  readonly number: number;
  readonly sha256: Digest;
}

/** A part that a client has put into the store by itself; `tag` is the store's answer. */
export interface SentPart extends NamedPart {
  readonly tag: string;
}

/** Requests by which a client puts parts into the store by itself, in the order asked for. */
export interface SignedParts {
  readonly requests: readonly SignedRequest[];
  /** How long they are good for. */
  readonly seconds: number;
}

/** One part on its way in. */
export interface PartToPut {
  readonly upload: string;
  /** From 1. */
  readonly number: number;
  /** Bytes of this part. */
  readonly length: number;
  readonly sha256: Digest;
}

/** What is to be sealed: exactly the files at `paths`, with the nonce of the publisher's client. */
export interface SealRequest extends Claims {
  /** 32 bytes in lower-case hex. */
  readonly nonce: string;
  readonly paths: readonly string[];
}

export interface PublishResult {
  readonly release: ReleaseName;
  readonly digest: Digest;
  /** Index of the release entry. */
  readonly index: number;
  /** Leaves of the tree that first held it. */
  readonly size: number;
  /** False while witnesses are awaited. */
  readonly published: boolean;
}

/** A published release, as the store's release document names it. */
export interface PublishedRelease {
  readonly release: ReleaseName;
  readonly digest: Digest;
  readonly index: number;
  readonly time: string;
  readonly manifest: Manifest;
}

/** Documents that grow with the number of files and tensors, up to hundreds of megabytes. */
export type LargeDocumentName = Extract<DocumentName, 'manifest.json' | 'tensors.json'>;

/** An open piece of content. */
export interface Content {
  /** True for what only some may read: nobody keeps it for somebody else. */
  readonly forReaders?: boolean;
  readonly path: string;
  /** Bytes of the whole file. */
  readonly size: number;
  readonly sha256: Digest;
  /** The file's chunks, and their list when it was asked for. */
  readonly chunkSize: number;
  chunkList(): Promise<Uint8Array>;
  /** Unverified bytes out of the store; given up when `signal` aborts. */
  read(range: ByteRange, signal?: AbortSignal): Promise<ReadableStream<Uint8Array>>;
  /** Where the bytes lie on this machine, if they do. */
  readonly localPath: string | undefined;
  /** The address under which the store itself gives the bytes, for `seconds`, to whoever can reach it. */
  readonly signedUrl?: ((as: ReadAs, seconds: number) => Promise<string>) | undefined;
}

/** What a client needs to know that nothing newer is kept from it. */
export interface Freshness {
  /** Index and `.tlog-proof` of the newest heads entry, and its exact bytes. */
  readonly index: number;
  readonly entry: Uint8Array;
  readonly proof: string;
  /** The namespace's canonical head, its position among `count`, and the path to the root. */
  readonly head: Uint8Array;
  readonly position: number;
  readonly count: number;
  readonly path: readonly Uint8Array[];
  /** The advisories that the head names: exact entry bytes and `.tlog-proof`. */
  readonly advisories: readonly {
    readonly index: number;
    readonly entry: Uint8Array;
    readonly proof: string;
  }[];
}

/** A release as OCI artifacts: descriptors, the manifest's own and those of what refers to it. */
export interface Artifacts {
  readonly manifest: Descriptor;
  readonly referrers: readonly Descriptor[];
  /** The manifest for Ollama, where the release has one GGUF file. */
  readonly ollama?: Descriptor;
}

/** One object of an artifact. */
export interface ArtifactObject {
  readonly kind: 'manifest' | 'blob';
  readonly mediaType: string;
  readonly bytes: Uint8Array;
}

export interface Registry {
  // Drafts: publishers, release managers and owners of the namespace; its CI jobs for all of a
  // push, from openDraft to seal; the credential of an upload session for all that an upload
  // takes, from declareFile to seal and draftManifest.
  /**
   * Opens a draft, or goes on with the one that is there. A sealed one stays sealed: it is
   * reopened, as its next revision, by the first call that changes its content. `plan` is all
   * that is going to be declared: what cannot fit is refused now, with `quota-exceeded`.
   */
  openDraft(caller: Caller, release: ReleaseName, plan?: Amount): Promise<DraftStatus>;
  /**
   * A draft in the state `draft` that stays without `seal` is being sealed by nobody: whoever
   * waits for a seal asks for it again, and it goes on where it was.
   */
  draftStatus(caller: Caller, release: ReleaseName): Promise<DraftStatus>;
  /** The drafts of a namespace that can still be published, by name. For everybody with a role in it. */
  drafts(caller: Caller, namespace: Namespace): Promise<readonly ListedDraft[]>;
  declareFile(caller: Caller, release: ReleaseName, file: DeclaredFile): Promise<FileTicket>;
  /** Streams one part in; throws `digest-mismatch` when its SHA-256 is not `sha256`. */
  putPart(
    caller: Caller,
    release: ReleaseName,
    part: PartToPut,
    body: AsyncIterable<Uint8Array>,
  ): Promise<void>;
  /**
   * Signs requests by which the client puts these parts into the store by itself. Throws
   * `conflict` where bytes go through the server.
   */
  signParts(
    caller: Caller,
    release: ReleaseName,
    upload: string,
    parts: readonly NamedPart[],
  ): Promise<SignedParts>;
  /** Notes parts that were put so. What is said of them is believed by nobody: the seal reads all bytes. */
  noteParts(
    caller: Caller,
    release: ReleaseName,
    upload: string,
    parts: readonly SentPart[],
  ): Promise<void>;
  completeUpload(caller: Caller, release: ReleaseName, upload: string): Promise<void>;
  /**
   * Begins to seal exactly `paths`; the status tells how it goes. The same call again joins
   * the seal that runs, or finds the draft sealed that way and leaves it so.
   */
  seal(caller: Caller, release: ReleaseName, request: SealRequest): Promise<DraftStatus>;
  /** The manifest of a sealed draft, exact bytes. For everybody who takes part in the namespace. */
  draftManifest(caller: Caller, release: ReleaseName): Promise<Uint8Array>;
  /** Withdraws a draft for good: its version is not used again. */
  withdraw(caller: Caller, release: ReleaseName): Promise<DraftStatus>;
  /**
   * Publishes the sealed digest, which the caller must name, with the signed intent of a release
   * manager where the policy is gated. Asked twice, it answers twice the same.
   */
  publish(
    caller: Caller,
    release: ReleaseName,
    digest: Digest | undefined,
    intent?: Uint8Array,
  ): Promise<PublishResult>;

  // Decisions: for everybody who takes part in the namespace, and with a key in its policy.
  /** Logs a commitment of which nobody can tell what it is about. The same again has the same index. */
  commit(caller: Caller, commitment: BlindCommitment): Promise<{ readonly index: number }>;
  /** Takes in what opens a commitment; answers once it is stored. */
  decide(caller: Caller, release: ReleaseName, disclosure: Disclosure): Promise<RecordedDecision>;
  /** What was decided about a sealed draft. */
  decisions(caller: Caller, release: ReleaseName): Promise<DraftDecisions>;
  /** A report that an evaluation among these names and does not keep private. */
  draftReport(caller: Caller, release: ReleaseName, digest: Digest): Promise<Uint8Array>;
  /** What a published release reveals of its decisions. For everybody. */
  revealed(release: ReleaseName): Promise<readonly ShownDecision[]>;
  /** Stores the report of an evaluation: public once the release is, and until then for its people. */
  putReport(
    caller: Caller,
    release: ReleaseName,
    body: AsyncIterable<Uint8Array>,
  ): Promise<{ readonly digest: Digest; readonly size: number }>;

  // Namespaces and advisories.
  /** What a namespace takes up, and may; undefined where nothing is counted. For everybody who takes part in it. */
  usage(caller: Caller, namespace: Namespace): Promise<Usage | undefined>;
  createNamespace(
    caller: Caller,
    request: {
      readonly policy: Uint8Array;
      /** DSSE envelopes over it by the owners named in it. */
      readonly signed: readonly Uint8Array[];
      readonly override: boolean;
    },
  ): Promise<{ readonly namespace: Namespace; readonly index: number }>;
  /** The policy in force, or the one logged at `index`: exact bytes and envelopes. */
  policy(
    namespace: Namespace,
    index?: number,
  ): Promise<{
    readonly index: number;
    readonly policy: Uint8Array;
    readonly signed: readonly Uint8Array[];
  }>;
  /** The namespace that was there before this one and looks like it; undefined for most. */
  lookAlike(namespace: Namespace): Promise<Namespace | undefined>;
  /** Logs the next version of a policy, signed by as many owners as the one in force asks for. */
  setPolicy(caller: Caller, change: PolicyChange): Promise<PolicyLogged>;
  /** Every version that the public log has, oldest first. */
  policies(namespace: Namespace): Promise<readonly PolicyVersion[]>;
  /** Logs a signed announcement (a DSSE envelope, `core/release/announcement.ts`). */
  announce(caller: Caller, envelope: Uint8Array): Promise<{ readonly index: number }>;
  /** The envelope of the announcement at `index`. */
  announcement(index: number): Promise<Uint8Array>;
  /** Logs the owners’ word that a commitment which nobody opened no longer blocks. */
  voidLabel(caller: Caller, request: VoidRequest): Promise<{ readonly index: number }>;
  /** The envelopes of the void at `index`. */
  voided(index: number): Promise<readonly Uint8Array[]>;
  /** Logs a signed advisory (a DSSE envelope, `core/release/advisory.ts`). */
  advise(
    caller: Caller,
    envelope: Uint8Array,
  ): Promise<{ readonly index: number; readonly kind: AdvisoryKind }>;
  /** The envelope of the advisory at `index`. */
  advisory(index: number): Promise<Uint8Array>;

  /**
   * Admits a CI job whose identity was verified, once: which trusted publisher of `namespace`
   * it is.
   */
  admitIdentity(namespace: Namespace, identity: Identity): Promise<Admission>;
  /** Does the namespace still trust what it once granted? */
  trustsGrant(namespace: Namespace, grant: string): Promise<boolean>;

  // What is public.
  release(release: ReleaseName): Promise<PublishedRelease | undefined>;
  /** The published release of `model` with that revision. */
  revision(model: Model, revision: Revision): Promise<PublishedRelease | undefined>;
  document(release: ReleaseName, document: DocumentName): Promise<Uint8Array>;
  /** As `document`, for those that may be large: as content whose bytes are not read yet. */
  largeDocument(release: ReleaseName, document: LargeDocumentName): Promise<Content>;
  /** A report that an evaluation of the release names and does not keep private. */
  report(release: ReleaseName, digest: Digest): Promise<Uint8Array>;
  /** The chunk list with that root of the file at `path`. */
  chunkList(release: ReleaseName, path: string): Promise<Uint8Array>;
  /**
   * The bytes of the file at `path`, for whoever may read them: without `who`, for everybody. Throws
   * `not-authorised` where that is not enough, with `details.bytes`, a restriction.
   */
  content(release: ReleaseName, path: string, who?: WhoReads): Promise<Content>;
  /** The same bytes for the registry itself, to say what is in them; they are sent to nobody. */
  contentToDescribe(release: ReleaseName, path: string): Promise<Content>;
  /** Whose the bytes of the namespace’s releases are now; undefined for everybody’s. */
  restriction(namespace: Namespace): Promise<Restriction | undefined>;
  freshness(namespace: Namespace): Promise<Freshness>;
  /** The OCI artifacts of a published release: its manifest, and what refers to it. */
  artifacts(release: ReleaseName): Promise<Artifacts | undefined>;
  /** An object of a model’s OCI artifacts, by its digest. */
  artifactObject(model: Model, digest: Digest): Promise<ArtifactObject | undefined>;

  /** Finishes what a crash left: intents that are logged or can be, seals that are not logged yet. The others are tried again later. */
  recover(): Promise<void>;
  /** Waits for running seals to stop at a point they resume from. */
  close(): Promise<void>;
}
