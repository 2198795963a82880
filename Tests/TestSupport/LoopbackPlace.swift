import Glibc

/// An address of the loopback and a port, to listen on.
public struct LoopbackPlace: Sendable, Hashable {
    public let address: String
    /// 0: a free one.
    public let port: Int

    /// A free port of 127.0.0.1.
    public init() {
        address = "127.0.0.1"
        port = 0
    }

    /// Port 25, where mail exchangers listen, at an address that no other has: by chance one of four million.
    public static func mailExchanger() -> LoopbackPlace {
        let parts = [127, Int.random(in: 128...191), Int.random(in: 1...254), Int.random(in: 1...254)]
        return LoopbackPlace(parts.map(String.init).joined(separator: "."), 25)
    }

    private init(_ address: String, _ port: Int) {
        self.address = address
        self.port = port
    }

    /// The reason why no mail exchanger can run here; nil if one can.
    public static let obstacleToMailExchangers: String? = {
        do {
            _ = try ScriptedPeer(at: .mailExchanger()) { _ in }
            return nil
        } catch {
            return
                "no test can listen on port 25 of an address in 127.0.0.0/8 (\(error)): it needs root, and no server on"
                + " port 25 of all addresses"
        }
    }()

    var socketAddress: sockaddr_in {
        var place = sockaddr_in()
        place.sin_family = sa_family_t(AF_INET)
        place.sin_port = UInt16(port).bigEndian
        inet_pton(AF_INET, address, &place.sin_addr)
        return place
    }
}
