import InternetMessage
import Delivery
import XMLReading

/// Reads `relay.xml`.
/// - Parameters:
///   - path: The file as messages shall name it. Relative paths in it are read from its directory.
///   - environment: The variables for `env="…"` of a secret.
/// - Throws: All faults at once.
public func loadRelay(
    path: String, environment: [String: String] = [:]
) throws(ConfigurationFaults) -> RelayConfiguration {
    let reading = ConfigurationReading(file: path, environment: environment)
    if let root = reading.readDocument("relay.xml"), let configuration = reading.readRelay(root) {
        return configuration
    }
    throw ConfigurationFaults(faults: reading.sortedFaults, warnings: reading.sortedWarnings)
}

extension ConfigurationReading {
    private static let relayElements = [
        "Spool", "delayTime", "maxRetries", "deliveryThreads", "sendpartial", "dnsserver", "postmaster", "servernames",
        "Route", "MetricsFile",
    ]

    fileprivate func readRelay(_ root: XMLElement) -> RelayConfiguration? {
        guard root.localName == "Relay", root.namespaceURI == nil else {
            fault(
                .unknownElement, line: root.line, "the root element is <\(Self.shortened(root.localName))>",
                expected: "<Relay> without a namespace",
                nearest: NearestName.of(root.localName, among: ["Relay"]).map { "<\($0)>" })
            return nil
        }
        inspect(
            root, children: Self.relayElements + Self.routeElements, repeatable: ["delayTime", "Route"])
        let spool = path(filledLeaf(root.child("Spool")))
        let schedule = readSchedule(root)
        let threads = integer(filledLeaf(root.child("deliveryThreads")), in: 1...256)
        let sendsPartial = truth(leaf(root.child("sendpartial")))
        let dnsServers = readNameServers(root.child("dnsserver"))
        let postmaster = readPostmaster(root.child("postmaster"), root)
        let serverNames = readServerNames(root.child("servernames"))
        let metricsPath = path(filledLeaf(root.child("MetricsFile")))
        var isInText = false
        var routes: [RelayRoute] = []
        for (index, element) in root.children("Route").enumerated() {
            if let route = readRoute(element, name: "Route[\(index + 1)]", isInText: &isInText) { routes.append(route) }
        }
        warnOfUnreached(routes, root.children("Route"))
        // The settings in Relay itself are the route for everything else.
        if let route = readRoute(root, name: "default", isInText: &isInText) { routes.append(route) }
        if isInText { warnOfLooseMode(file, line: 0, what: "a password") }
        guard faults.isEmpty else { return nil }
        return RelayConfiguration(
            spool: spool, routes: routes, schedule: schedule, deliveryThreads: threads ?? 8,
            sendsPartial: sendsPartial ?? true, dnsServers: dnsServers, postmaster: postmaster,
            serverNames: serverNames, metricsPath: metricsPath, warnings: sortedWarnings)
    }

    private func readNameServers(_ element: XMLElement?) -> [String] {
        guard let element else { return [] }
        inspect(element, children: ["servers"])
        guard let servers = element.child("servers") else {
            missing("<servers>", in: element)
            return []
        }
        inspect(servers, children: ["server"], repeatable: ["server"])
        if servers.children("server").isEmpty { missing("<server>", in: servers) }
        return servers.children("server").compactMap { nameServer(filledLeaf($0)) }
    }

    private func readServerNames(_ element: XMLElement?) -> [String] {
        guard let element else { return [] }
        inspect(element, children: ["servername"], repeatable: ["servername"])
        if element.children("servername").isEmpty { missing("<servername>", in: element) }
        return element.children("servername").compactMap { domain(filledLeaf($0)) }
    }

    /// The original takes `postmaster` without a domain, too: it is that of the first server name then.
    private func readPostmaster(_ element: XMLElement?, _ root: XMLElement) -> AddrSpec? {
        guard let text = filledLeaf(element) else { return nil }
        if !text.value.contains("@"), let first = root.child("servernames")?.children("servername").first {
            return address(
                Located(text.value + "@" + first.trimmedText, line: text.line, place: text.place))
        }
        return address(text)
    }

    private func warnOfUnreached(_ routes: [RelayRoute], _ elements: [XMLElement]) {
        guard routes.count == elements.count else { return }
        for (index, route) in routes.enumerated() {
            guard let earlier = routes[..<index].firstIndex(where: { $0.criteria.covers(route.criteria) }) else {
                continue
            }
            warn(
                .shadowedRoute, line: elements[index].line,
                "the route \(route.name) is never taken: \(routes[earlier].name) on line \(elements[earlier].line)"
                    + " takes every message that it could; put the narrower one first")
        }
    }
}
