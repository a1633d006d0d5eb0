-- The database of a small CRM, as many firms have one: plain tables, English names, SQLite.
-- Keys of what people make are texts (uuid), of what the office keeps are numbers. The CRM itself sets updated_at.

CREATE TABLE users (
    id          INTEGER PRIMARY KEY,
    full_name   VARCHAR(120) NOT NULL,
    email       VARCHAR(120),
    phone       VARCHAR(40),
    is_active   BOOLEAN NOT NULL DEFAULT 1,
    updated_at  DATETIME NOT NULL
);

CREATE TABLE clients (
    id            VARCHAR(36) PRIMARY KEY,
    kind          VARCHAR(20) NOT NULL DEFAULT 'company' CHECK (kind IN ('company', 'entrepreneur', 'person')),
    name          VARCHAR(200) NOT NULL,
    legal_name    VARCHAR(400),
    inn           VARCHAR(12),
    kpp           VARCHAR(9),
    ogrn          VARCHAR(15),
    address       VARCHAR(400),
    status        VARCHAR(20) CHECK (status IN ('lead', 'active', 'paused', 'blocked', 'lost')),
    segment       VARCHAR(60),
    is_customer   BOOLEAN NOT NULL DEFAULT 1,
    is_supplier   BOOLEAN NOT NULL DEFAULT 0,
    owner_id      INTEGER REFERENCES users (id),
    registered_on DATE,
    comment       TEXT,
    is_deleted    BOOLEAN NOT NULL DEFAULT 0,
    updated_at    DATETIME NOT NULL
);
CREATE INDEX clients_updated ON clients (updated_at);

-- Telephones, e-mails and the like of a client: they go with it.
CREATE TABLE client_contacts (
    id        INTEGER PRIMARY KEY,
    client_id VARCHAR(36) NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
    kind      VARCHAR(20) NOT NULL CHECK (kind IN ('phone', 'fax', 'email', 'website', 'messenger', 'other')),
    value     VARCHAR(200) NOT NULL
);
CREATE INDEX client_contacts_client ON client_contacts (client_id);

CREATE TABLE contact_persons (
    id          VARCHAR(36) PRIMARY KEY,
    client_id   VARCHAR(36) REFERENCES clients (id),
    full_name   VARCHAR(200) NOT NULL,
    position    VARCHAR(120),
    birth_date  DATE,
    comment     TEXT,
    is_deleted  BOOLEAN NOT NULL DEFAULT 0,
    updated_at  DATETIME NOT NULL
);

CREATE TABLE contact_person_contacts (
    id                INTEGER PRIMARY KEY,
    contact_person_id VARCHAR(36) NOT NULL REFERENCES contact_persons (id) ON DELETE CASCADE,
    kind              VARCHAR(20) NOT NULL CHECK (kind IN ('phone', 'fax', 'email', 'website', 'messenger', 'other')),
    value             VARCHAR(200) NOT NULL
);
CREATE INDEX contact_person_contacts_person ON contact_person_contacts (contact_person_id);

CREATE TABLE products (
    id          INTEGER PRIMARY KEY,
    sku         VARCHAR(40),
    name        VARCHAR(200) NOT NULL,
    full_name   VARCHAR(400),
    kind        VARCHAR(20) NOT NULL DEFAULT 'good' CHECK (kind IN ('good', 'service', 'kit', 'work', 'other')),
    barcode     VARCHAR(20),
    description TEXT,
    is_deleted  BOOLEAN NOT NULL DEFAULT 0,
    updated_at  DATETIME NOT NULL
);

CREATE TABLE orders (
    id               VARCHAR(36) PRIMARY KEY,
    number           VARCHAR(40) NOT NULL,
    ordered_at       DATETIME NOT NULL,
    client_id        VARCHAR(36) NOT NULL REFERENCES clients (id),
    manager_id       INTEGER REFERENCES users (id),
    status           VARCHAR(20) NOT NULL DEFAULT 'new' CHECK (status IN
                     ('new', 'confirmed', 'in_work', 'partly_shipped', 'shipped', 'closed', 'cancelled')),
    total            DECIMAL(15,2) NOT NULL DEFAULT 0,
    ship_at          DATETIME,
    delivery_address VARCHAR(400),
    client_number    VARCHAR(60),
    comment          TEXT,
    is_deleted       BOOLEAN NOT NULL DEFAULT 0,
    updated_at       DATETIME NOT NULL
);
CREATE INDEX orders_updated ON orders (updated_at);

CREATE TABLE order_lines (
    id               INTEGER PRIMARY KEY,
    order_id         VARCHAR(36) NOT NULL REFERENCES orders (id) ON DELETE CASCADE,
    line_no          INTEGER NOT NULL,
    product_id       INTEGER NOT NULL REFERENCES products (id),
    qty              DECIMAL(15,3) NOT NULL,
    price            DECIMAL(15,2),
    discount_percent DECIMAL(5,2),
    amount           DECIMAL(15,2) NOT NULL,
    is_cancelled     BOOLEAN NOT NULL DEFAULT 0
);
CREATE INDEX order_lines_order ON order_lines (order_id);

CREATE TABLE tasks (
    id          VARCHAR(36) PRIMARY KEY,
    title       VARCHAR(400) NOT NULL,
    body        TEXT,
    status      VARCHAR(20) NOT NULL DEFAULT 'new' CHECK (status IN
                ('new', 'in_progress', 'waiting', 'done', 'cancelled', 'deferred')),
    priority    VARCHAR(10) CHECK (priority IN ('low', 'normal', 'high', 'urgent')),
    assignee_id INTEGER REFERENCES users (id),
    author_id   INTEGER REFERENCES users (id),
    client_id   VARCHAR(36) REFERENCES clients (id),
    order_id    VARCHAR(36) REFERENCES orders (id),
    created_at  DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
    start_at    DATETIME,
    due_at      DATETIME,
    done_at     DATETIME,
    result      TEXT,
    is_deleted  BOOLEAN NOT NULL DEFAULT 0,
    updated_at  DATETIME NOT NULL
);
