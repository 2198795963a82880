import HostProcess
import XMLReading

/// A `relay.xml` from the original's block for outgoing mail.
struct RelayAdoption {
    /// The way in which a password goes to the next hop.
    enum Login: String {
        /// Over TLS, or not at all.
        case required
        /// Over whatever connection there is, as the original did.
        case clear
    }

    let text: String
    /// The password, which stands in a file of its own; nil if there is none.
    let password: String?

    /// The name of that file beside `relay.xml`.
    static let passwordFile = "relay.password"

    /// - Parameters:
    ///   - postmaster: nil for that of this host.
    init(
        _ delivery: JamesConfiguration.Delivery, _ james: JamesConfiguration, spool: String, postmaster: String?,
        login: Login, _ report: inout ImportReport
    ) {
        var lines = [
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>",
            "<!-- Made by \"ses import\" from the RemoteDelivery block of the original's config.xml (line \(delivery.line)). -->",
            "<Relay>", "  <Spool>\(Self.escaped(spool))</Spool>",
        ]
        let (host, port) = Self.gateway(delivery, &report)
        if let host {
            lines.append("  <gateway>\(Self.escaped(host))</gateway>")
            if let port { lines.append("  <gatewayPort>\(Self.escaped(port))</gatewayPort>") }
        }
        if host != nil, let user = delivery.user {
            let mark = login == .clear ? " inClear=\"true\"" : ""
            lines.append("  <gatewayusername\(mark)>\(Self.escaped(user))</gatewayusername>")
            lines.append("  <gatewayPassword file=\"\(Self.passwordFile)\"/>")
            lines.append("  <TLS level=\"\(login == .clear ? "may" : "required")\"/>")
            password = delivery.password ?? ""
        } else {
            password = nil
            if host != nil { lines.append("  <TLS level=\"may\"/>") }
        }
        lines += delivery.delays.compactMap(JamesConfiguration.Delivery.delay).map {
            "  <delayTime>\(Self.escaped($0))</delayTime>"
        }
        if let retries = delivery.maxRetries { lines.append("  <maxRetries>\(Self.escaped(retries))</maxRetries>") }
        if let threads = delivery.threads {
            lines.append("  <deliveryThreads>\(Self.escaped(threads))</deliveryThreads>")
        }
        if let partial = delivery.sendsPartial {
            lines.append("  <sendpartial>\(Self.escaped(partial.lowercased()))</sendpartial>")
        }
        if !james.nameServers.isEmpty {
            let servers = james.nameServers.map { "<server>\(Self.escaped($0))</server>" }.joined()
            lines.append("  <dnsserver><servers>\(servers)</servers></dnsserver>")
        }
        if let postmaster { lines.append("  <postmaster>\(Self.escaped(postmaster))</postmaster>") }
        let names = james.serverNames.filter { $0.lowercased() != "localhost" }
        if !names.isEmpty {
            let all = names.map { "<servername>\(Self.escaped($0))</servername>" }.joined()
            lines.append("  <servernames>\(all)</servernames>")
        }
        lines += ["</Relay>", ""]
        text = lines.joined(separator: "\n")
    }

    /// The first gateway, which may have its port inside.
    private static func gateway(
        _ delivery: JamesConfiguration.Delivery, _ report: inout ImportReport
    ) -> (host: String?, port: String?) {
        // One element may name several with commas, as James reads it.
        let all = delivery.gateways.flatMap { $0.split(separator: ",").map(String.init) }
        guard let first = all.first else { return (nil, nil) }
        if all.count > 1 {
            report.leave(
                "the original tried \(all.count) gateways in turn; relay.xml has the first, \(first): put a name with several"
                    + " addresses in its place, or a mail server that knows the others (\(all.dropFirst().joined(separator: ", ")))"
            )
        }
        guard let match = first.wholeMatch(of: /([^:]+):([0-9]+)/) else { return (first, delivery.port) }
        return (String(match.1), String(match.2))
    }

    private static func escaped(_ text: String) -> String { XMLEscaping.attribute(text) }
}
