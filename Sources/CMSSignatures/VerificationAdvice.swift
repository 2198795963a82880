import Explanations

extension VerificationDetail {
    /// What the one who reads the detail can do about it.
    static func advice(_ kind: Kind, _ level: Level) -> Advice {
        switch (kind, level) {
        case (.issuerTrust, _): .untrusted
        case (.revocationStatus, .invalid): .revoked
        case (.revocationStatus, .indeterminate): .revocationUnknown
        case (.validityInterval, _): .outdated
        case (.signature, .invalid): .changed
        case (.signature, .indeterminate): .unsupported
        case (.signerIdentity, _): .otherSigner
        }
    }
}
