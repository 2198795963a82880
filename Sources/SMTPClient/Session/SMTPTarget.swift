public import CurlTransfer
public import MailExchange

/// One address to try for a domain's mail.
public struct SMTPTarget: Sendable, Hashable {
    /// The name that a verified certificate must contain.
    public let host: String
    public let address: String
    /// Targets of equal preference are as good as one another.
    public let preference: Int

    /// All addresses of all exchangers, best first.
    public static func targets(of exchangers: [MailExchanger]) -> [SMTPTarget] {
        exchangers.flatMap { exchanger in
            exchanger.addresses.map {
                SMTPTarget(host: exchanger.name, address: $0, preference: exchanger.preference)
            }
        }
    }
}

extension MailConnectionSettings {
    /// The same way to connect, to another server.
    public func directed(to target: SMTPTarget) -> MailConnectionSettings {
        var settings = self
        settings.host = target.host
        settings.address = target.address
        return settings
    }
}

extension SMTPFailure {
    /// Nowhere to deliver to: it concerns the recipients of this domain.
    public init(_ error: MailExchangeError) {
        if case .machine(let errno) = error.kind {
            self.init(machineFault: errno, .lookup, error.detail)
            return
        }
        let status: (Int, Int) =
            switch error.kind {
            case .noSuchDomain, .badName: (1, 2)
            case .takesNoMail: (1, 10)
            case .noAddress: (4, 4)
            case .loop: (4, 6)
            case .temporary: (4, 3)
            case .internal, .machine: (3, 0)
            }
        self.init(
            error.isTransient ? .transient : .permanent, .recipient, .lookup, status: status, error.detail)
    }
}
