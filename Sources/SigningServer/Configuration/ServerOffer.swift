/// The things that a client may ask the server for, without the keys themselves.
public struct ServerOffer: Codable, Sendable {
    /// One signing profile.
    public struct Profile: Codable, Sendable {
        public let id: String
        /// `smime`, `cms`, `pdf`, `xml` or `auto`.
        public let format: String
    }

    /// The id of the client.
    public let client: String
    public let signingProfiles: [Profile]
    public let verificationProfiles: [String]
    /// The aliases.
    public let keys: [String]
}

extension SigningServerConfiguration {
    /// The offer to each client, sorted by its id.
    public var offers: [ServerOffer] {
        clients.sorted { $0.key < $1.key }.map { id, client in
            ServerOffer(
                client: id,
                signingProfiles: client.profiles.sorted().compactMap { id in
                    signingProfiles[id].map { ServerOffer.Profile(id: id, format: $0.format.rawValue) }
                }, verificationProfiles: client.profiles.sorted().filter { verificationProfiles[$0] != nil },
                keys: client.keys.sorted())
        }
    }
}
