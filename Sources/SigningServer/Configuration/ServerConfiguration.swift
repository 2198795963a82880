public import CMSSignatures
import DocumentKinds
package import HostProcess

/// The content of `dss.xml`, with every file it names read in.
public struct SigningServerConfiguration: Sendable {
    /// The address that it listens on.
    package var listening: Listening
    public let tls: TLSSettings?
    let keys: KeyStore
    let signingProfiles: [String: SigningProfile]
    /// The profile of requests that name none.
    let defaultSigningProfile: String?
    let verificationProfiles: [String: VerificationProfile]
    let defaultVerificationProfile: String?
    let clients: [String: Client]
    /// Settings that work, but probably not as intended; one line each, reported at start.
    public var warnings: [String] = []
    /// The file that it was read from; empty if there was none.
    package var path = ""
    /// The files that verification profiles name.
    var trust: [TrustEntry] = []
    /// A time that has surely passed, Unix seconds: a clock that says an earlier one is wrong.
    var knownPast = 0

    init(
        _ listening: Listening, tls: TLSSettings?, keys: KeyStore, signingProfiles: [String: SigningProfile],
        defaultSigningProfile: String?, verificationProfiles: [String: VerificationProfile],
        defaultVerificationProfile: String?, clients: [String: Client]
    ) {
        self.listening = listening
        self.tls = tls
        self.keys = keys
        self.signingProfiles = signingProfiles
        self.defaultSigningProfile = defaultSigningProfile
        self.verificationProfiles = verificationProfiles
        self.defaultVerificationProfile = defaultVerificationProfile
        self.clients = clients
    }

    /// The address for requests: a Unix socket if there is one, otherwise TCP.
    package struct Listening: Sendable, Equatable {
        package var socket: UnixSocket?
        /// An IP address.
        package var address = "127.0.0.1"
        /// 0 takes a free one.
        package var port = 8_777
    }

    public struct TLSSettings: Sendable {
        /// Certificate and key of the server.
        public let key: SigningKey
        /// The anchors of client certificates; nil asks for none.
        public let clientAuthorities: [Certificate]?
    }

    struct SigningProfile: Sendable {
        enum Format: String, Sendable, CaseIterable {
            case smime, cms, pdf, xml
            /// As the document is: PDF and XML in their own formats, everything else as CMS.
            case auto

            /// The format of documents that carry their signatures within.
            init(_ format: DocumentFormat) {
                switch format {
                case .pdf: self = .pdf
                case .xml: self = .xml
                }
            }
        }
        /// The baseline level of ETSI's AdES formats.
        enum Level: String, Sendable, CaseIterable {
            /// CAdES, PAdES or XAdES with its signed attributes.
            case b = "B"
            /// The same with a timestamp over the signature.
            case t = "T"
            /// The same with what is needed to verify it long from now; in a PDF. Other formats have level T then.
            case lt = "LT"
        }
        let id: String
        let format: Format
        /// nil: plain S/MIME, CMS or XML DSig. A PDF is always at least level B.
        let level: Level?
        /// True if a CMS carries its content.
        let enclosesContent: Bool
        /// The URL of the timestamp authority; there from level T on.
        let timestampAuthority: String?
        /// The verification profile that a signature of level LT must convince; there at that level.
        let validation: String?
        /// The key of requests that name none; nil for the server's default key.
        let key: String?
        /// For PDFs, what a request leaves open.
        let pdf: PDFDefaults
    }

    struct VerificationProfile: Sendable {
        let id: String
        let policy: TrustPolicy
        let identity: SignedMailVerification.SignerIdentity
    }

    /// A client, who may use profiles and keys.
    struct Client: Sendable {
        let profiles: Set<String>
        let keys: Set<String>
    }
}

/// All reasons why a configuration cannot be used.
public struct DSSConfigurationFaults: Error, Sendable, CustomStringConvertible {
    public struct Fault: Sendable, Hashable {
        /// Counted from 1; 0 when the fault has no line.
        public let line: Int
        public let text: String
    }

    public let path: String
    public let faults: [Fault]

    public var description: String {
        faults.map { fault in
            fault.line > 0 ? "\(path):\(fault.line): \(fault.text)" : "\(path): \(fault.text)"
        }.joined(separator: "\n")
    }
}
