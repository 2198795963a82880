import DSSClient

/// The fields of `ses` in its published state: the addresses of the signing servers.
struct ServerAddresses: Codable, Sendable, Equatable {
    struct Circuit: Codable, Sendable, Equatable {
        let address: String
        let state: String
        /// Unix seconds.
        let since: Int
    }

    let circuits: [Circuit]

    init(circuits: [Circuit]) { self.circuits = circuits }

    init(of client: DSSClient) {
        circuits = client.circuits().map {
            Circuit(address: $0.address, state: $0.state.rawValue, since: $0.since)
        }
    }
}
