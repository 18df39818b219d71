/** The lab file that `guestcert init` writes: sound as it stands, with what else may be said in comments. */
export const labTemplate = `# yaml-language-server: $schema=./lab.schema.json
# A lab: hosts that run hypervisors, and the guests to validate on them.
# For help in an editor:  guestcert schema lab > lab.schema.json
# To see what would run:  guestcert plan lab.yaml

lab: my-lab                      # lower case; it stands in reports and records

# defaults:
#   parallel: 4                  # environments at once, over all hosts
#   retries: 1                   # new instances after trouble that is not the guest's
#   limits: { boot: 10m, command: 60s, test: 10m, environment: 4h }
#   login: { user: root, key: agent, hostKey: known_hosts }

hosts:
  # Guests that run already are on a host with the driver "static": nothing is started or stopped.
  running:
    product: rhel-kvm            # known products: guestcert list products
    version: "9.6"               # versions in quotes: YAML reads 5.10 as 5.1
    driver: static
    capacity: { guests: 2 }      # how many at once

  # Guests that guestcert boots itself, on this machine.
  # Build the image first:  guestcert lab build debian
  # here:
  #   product: qemu
  #   version: "7.2"
  #   driver: qemu
  #   capacity: { guests: 2, vcpus: 4, memory: 4GiB }

guests:
  rhel9:
    product: rhel
    version: "9.6"
    arch: x86_64
    login:
      user: root
      key: agent                 # agent, agent:KEY (fingerprint, comment or PATH.pub), file:~/.ssh/lab or env:NAME; never the secret itself
      hostKey: known_hosts       # known_hosts, or a pinned "SHA256:..."; accept-new takes the first key, and pins it in guestcert.known_hosts beside this file
      # password: env:RHEL9_PASSWORD
      # algorithms: legacy       # only for guests that are too old for today's
    on:
      running:
        address: rhel9.lab.example
        # jump: bastion.lab.example
        configuration: { firmware: uefi, disk: virtio-blk, nic: virtio-net, vcpus: 2, memory: 4GiB }

  # debian12:
  #   product: debian
  #   version: "12"
  #   arch: x86_64
  #   login: { user: root, key: image, hostKey: image }
  #   on:
  #     here: { image: debian, configuration: { firmware: bios, disk: virtio-blk, nic: virtio-net, vcpus: 1, memory: 1GiB } }

suites: [builtin]                # and folders of your own: [builtin, ./our-suites]
`
