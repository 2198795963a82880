import CMSSignatures

/// One file that a verification profile names.
struct TrustEntry: Sendable {
    /// The part that the file has in the profile; by the element's name.
    enum Role: String, Sendable, CaseIterable {
        case anchor = "Anchor"
        case intermediate = "Intermediate"
        case list = "CRL"

        var words: String {
            switch self {
            case .anchor: "trust anchor"
            case .intermediate: "intermediate certificate"
            case .list: "revocation list"
            }
        }
    }

    /// The id of the profile.
    let profile: String
    let role: Role
    /// As it is written in the configuration.
    let path: String
    let line: Int
    var certificates: [Certificate] = []
    var lists: [RevocationList] = []
}
